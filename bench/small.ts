import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePort, startChild } from './support/child.ts';
import { settle } from './support/disk.ts';
import { latencyMs, load, prepare } from './support/generators.ts';
import type { Loaded } from './support/load.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { type Nginx, nginxMissing, startNginx } from './support/nginx.ts';
import { Figures } from './support/report.ts';
import { type BenchServer, startServer } from './support/server.ts';
import { signedUploads, VaultClient } from './support/vault-client.ts';

const bodySizeBytes = 16 * 1024;
/** How many different uploads there are; they are sent again and again. */
const distinctUploads = 256;
const retrievals = 8;
/** Long enough for Node to have compiled most of what a request runs through. */
const warmUpSeconds = 5;
const aim = 'at least 0.6';

export const small: Measurement = {
  name: 'small',
  summary: 'small archives: uploads of 16 KiB over many connections at once',
  async run(settings) {
    const { directory, seconds, connections, generators, repeats, say } = settings;
    const bodies = Array.from({ length: distinctUploads }, () => randomBytes(bodySizeBytes));
    const ownDirectory = join(directory, 'firn');
    mkdirSync(ownDirectory);
    const figures = new Figures();
    say('small: what the generator can do alone');
    const alone = await loadTrivial(settings, bodies);
    await using server = await startServer({ ...settings, directory: ownDirectory });
    await using nginx = await startNginx(join(directory, 'nginx'));
    const firn = new FirnUploads(settings, server, bodies);
    await firn.vault.create();
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`small: pair ${repeat} of ${repeats}`);
      const turns = {
        nginx: () => (nginx === undefined ? undefined : loadNginx(settings, nginx, bodies)),
        firn: () => firn.load(),
      };
      // Each goes first every other time, in case that the first, or the second, has it easier.
      const early = repeat % 2 === 1 ? await turns.nginx() : undefined;
      const { loaded, cpuSeconds } = await turns.firn();
      const other = early ?? (await turns.nginx());
      addFigures(figures, { loaded, cpuSeconds, other });
    }
    await firn.checkCount();
    figures.add('generator, on a server that only counts bytes', '/s', alone.perSecond);
    figures.add('… its processor time', 'of a core', alone.cpuShare);
    figures.add('peak memory of the server', 'MiB', server.peakMemoryMib());
    return {
      measurement: 'small',
      about:
        `16 KiB an upload, ${connections} connections (generators: ${generators}), ${seconds} s ` +
        `after ${warmUpSeconds} s of warm-up, ${repeats} pairs`,
      figures: figures.list(),
      notes: [
        `The vault counts ${firn.acknowledged} archives, as many as were acknowledged; ` +
          `${retrievals * repeats} of them were retrieved and had the right bytes.`,
        ...(nginx === undefined ? [nginxMissing] : []),
      ],
    };
  },
};

interface Pair {
  readonly loaded: Loaded;
  readonly cpuSeconds: number;
  readonly other: Loaded | undefined;
}

function addFigures(figures: Figures, { loaded, cpuSeconds, other }: Pair): void {
  figures.add('uploads', '/s', loaded.perSecond);
  if (other !== undefined) {
    figures.add('nginx: uploads', '/s', other.perSecond);
    figures.add('uploads / nginx', '', loaded.perSecond / other.perSecond, aim);
  }
  figures.add('latency, p50', 'ms', latencyMs(loaded, 0.5));
  figures.add('latency, p99', 'ms', latencyMs(loaded, 0.99));
  const cpuMicroseconds = (cpuSeconds * 1e6) / loaded.acknowledged;
  figures.add('processor time of the server', 'µs/upload', cpuMicroseconds);
  figures.add('processor time of the client', 'of a core', loaded.cpuShare);
  if (other !== undefined) figures.add('… at nginx', 'of a core', other.cpuShare);
}

/** What all three servers are given alike. */
function common({ connections, generators, seconds }: Settings) {
  return { connections, generators, warmUpSeconds, until: { seconds } };
}

/** The uploads to one Firn, which keeps what all repeats stored. */
class FirnUploads {
  readonly vault: VaultClient;
  readonly #settings: Settings;
  readonly #server: BenchServer;
  readonly #bodies: readonly Buffer[];
  #acknowledged = 0;

  constructor(settings: Settings, server: BenchServer, bodies: readonly Buffer[]) {
    this.#settings = settings;
    this.#server = server;
    this.#bodies = bodies;
    this.vault = new VaultClient(server.port, 'small');
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  async load(): Promise<{ readonly loaded: Loaded; readonly cpuSeconds: number }> {
    const { directory } = this.#settings;
    // Signed anew each time: signatures are good for five minutes.
    const prepared = prepare(directory, signedUploads(this.vault, this.#bodies));
    await settle(directory);
    const cpuBefore = this.#server.cpuSeconds();
    const loaded = await load({ ...common(this.#settings), ...prepared, port: this.#server.port });
    const cpuSeconds = this.#server.cpuSeconds() - cpuBefore;
    this.#acknowledged += loaded.acknowledged;
    await this.#checkSamples(loaded);
    return { loaded, cpuSeconds };
  }

  async #checkSamples({ samples }: Loaded): Promise<void> {
    for (let at = 0; at < retrievals; at++) {
      const sample = samples[Math.floor((at * samples.length) / retrievals)];
      if (sample === undefined) throw new Error('Too few uploads were acknowledged to check any.');
      const archiveId = sample.location.slice(sample.location.lastIndexOf('/') + 1);
      const { jobId } = await this.vault.retrieve(archiveId);
      const body = await this.vault.output(jobId);
      if (this.#bodies[sample.request]?.equals(body) !== true) {
        throw new Error(`Archive ${archiveId} came back with other bytes.`);
      }
    }
  }

  async checkCount(): Promise<void> {
    const counted = await this.vault.numberOfArchives();
    if (counted === this.acknowledged) return;
    throw new Error(`${this.acknowledged} uploads were acknowledged; the vault counts ${counted}.`);
  }
}

const putStart = 'PUT /small/';

/** The same bodies to nginx, each to a name of its own, as Firn never replaces an archive either. */
function nginxUploads(port: number, bodies: readonly Buffer[]): readonly Buffer[] {
  return bodies.map((body) => {
    const host = `Host: 127.0.0.1:${port}`;
    const length = `Content-Length: ${body.length}`;
    const head = `${putStart}0000000000 HTTP/1.1\r\n${host}\r\n${length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), body]);
  });
}

async function loadNginx(
  settings: Settings,
  nginx: Nginx,
  bodies: readonly Buffer[],
): Promise<Loaded> {
  const { directory } = settings;
  const requests = nginxUploads(nginx.port, bodies);
  const prepared = prepare(directory, requests, putStart.length);
  await settle(directory);
  const loaded = await load({ ...common(settings), ...prepared, port: nginx.port });
  const folder = join(nginx.root, 'small');
  const files = readdirSync(folder);
  const sample = files[0];
  if (files.length !== loaded.acknowledged || sample === undefined) {
    throw new Error(`nginx acknowledged ${loaded.acknowledged}, and has ${files.length} files.`);
  }
  const stored = readFileSync(join(folder, sample));
  if (!bodies.some((body) => body.equals(stored))) throw new Error('nginx has other bytes.');
  rmSync(folder, { recursive: true });
  return loaded;
}

/** What the generator reaches when the server does next to nothing: no figure may come near it. */
async function loadTrivial(settings: Settings, bodies: readonly Buffer[]): Promise<Loaded> {
  const port = await freePort();
  const script = join(import.meta.dirname, 'support/trivial-server.ts');
  const isReady = () => accepts(port);
  const options = { isReady, errorTo: 'inherit' } as const;
  await using _server = await startChild(process.execPath, [script, String(port)], options);
  const prepared = prepare(settings.directory, nginxUploads(port, bodies), putStart.length);
  const seconds = Math.min(settings.seconds, 3);
  return await load({ ...common({ ...settings, seconds }), ...prepared, port });
}
