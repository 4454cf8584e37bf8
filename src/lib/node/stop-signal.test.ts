import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';

const module = JSON.stringify(join(import.meta.dirname, 'stop-signal.ts'));

/** Says when it is ready and why it stops; ends by itself should nobody stop it. */
const program = (options: string) => `
  import { stopSignal } from ${module};
  const signal = stopSignal(${options});
  const timer = setTimeout(() => {}, 20_000);
  signal.addEventListener('abort', () => {
    console.log(signal.reason.message);
    clearTimeout(timer);
  });
  console.log('ready ' + process.pid);
`;

const nodeArgs = (options: string) => ['--input-type=module', '--eval', program(options)];

test('SIGTERM and SIGINT abort the signal and no longer end the process', async () => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    const child = spawn(process.execPath, nodeArgs(''), { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (text.startsWith('ready')) child.kill(name);
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    assert.ok(out.endsWith(`stopped by ${name}\n`), out);
  }
});

test('the end of the parent counts when it is asked for', async () => {
  const args = nodeArgs('{ endsWithParent: true }').map(
    (arg) => `'${arg.replaceAll("'", `'\\''`)}'`,
  );
  const shell = spawn('sh', ['-c', `'${process.execPath}' ${args.join(' ')}; :`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (text.startsWith('ready')) shell.kill('SIGTERM');
  });
  await once(shell, 'close');
  assert.match(out, /the process that started it has ended\n$/);
});
