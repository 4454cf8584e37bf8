import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePort, run, startChild } from './child.ts';

/**
 * An nginx that takes WebDAV uploads and serves them: what a file server costs that checks nothing,
 * hashes nothing, encrypts nothing and syncs nothing.
 */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** Where what is put at `/x` becomes the file `x`. */
  readonly root: string;
}

export const nginxMissing =
  'There is no nginx here, hence no ratio to it: `apt-get install nginx-light` brings one, on Debian.';

/** Starts nginx with all its files under a new directory; undefined when it is not installed. */
export async function startNginx(directory: string): Promise<Nginx | undefined> {
  if ((await run('nginx', ['-v'])) === undefined) return undefined;
  const root = join(directory, 'files');
  mkdirSync(root, { recursive: true });
  const port = await freePort();
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(configuration, configurationText(directory, port));
  const errorFile = join(directory, 'error.log');
  const errorTo = openSync(errorFile, 'a');
  const programArguments = ['-p', directory, '-c', configuration, '-e', errorFile];
  try {
    const isReady = () => accepts(port);
    const child = await startChild('nginx', programArguments, { isReady, errorTo });
    return { port, root, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (cause) {
    throw new Error(`nginx does not start: ${readFileSync(errorFile, 'utf8')}`, { cause });
  } finally {
    closeSync(errorTo);
  }
}

/**
 * Made for speed: no log, `sendfile`, a process per core, and uploads that become their file by a
 * rename, as they are received on the same file system. The user matters to root only, whose
 * temporary directories nobody else may enter.
 */
function configurationText(directory: string, port: number): string {
  const isRoot = process.getuid?.() === 0;
  const unused = ['proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n  ');
  return `${isRoot ? 'user root;' : ''}
daemon off;
worker_processes auto;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 90s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path ${directory}/body;
  ${unused}
  server {
    listen 127.0.0.1:${port};
    root ${directory}/files;
    location / {
      dav_methods PUT;
      create_full_put_path on;
    }
  }
}
`;
}
