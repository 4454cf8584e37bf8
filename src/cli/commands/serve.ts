import type { CliCommand } from '../command.ts';
import { settingFlags, settingOptions } from '../setting-options.ts';

/** What `npm start` runs. */
export const serve: CliCommand = {
  name: 'serve',
  summary: 'Run the server, in the foreground.',
  description:
    'The first start creates the data directory, one account and its root access key, and prints ' +
    'them. SIGTERM and SIGINT stop the server once the requests that run are done. A flag wins ' +
    'over its environment variable, which wins over the configuration file.',
  options: settingOptions('all'),
  examples: [
    'firn serve',
    'firn serve --data-dir /srv/firn --listen 127.0.0.1:9000',
    'firn serve --timing aws --standard-delay 10m',
    'firn serve --listen 0.0.0.0:8480 --tls-cert chain.pem --tls-key key.pem',
  ],
  async run(options, host) {
    await host.serve(host.readConfig(settingFlags(options, 'all')));
  },
};
