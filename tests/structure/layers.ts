/** Each folder and file of `src/`, and the ones that it may import from. Nothing else, no type. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  protocol: ['lib'],
  policy: ['lib'],
  select: ['lib'],
  storage: ['lib'],
  config: ['lib'],
  domain: ['lib', 'protocol', 'policy', 'storage'],
  auth: ['lib', 'protocol', 'policy', 'domain'],
  notifications: ['lib', 'protocol', 'domain'],
  operations: ['lib', 'protocol', 'domain'],
  workers: ['lib', 'protocol', 'domain', 'storage', 'select', 'notifications'],
  companions: ['lib', 'protocol', 'policy', 'domain', 'auth', 'notifications'],
  http: ['lib', 'protocol', 'auth', 'operations', 'companions'],
  admin: ['lib', 'domain', 'storage', 'workers'],
  client: ['lib', 'protocol'],
  cli: ['lib', 'protocol', 'client', 'config', 'compose.ts', 'maintenance.ts'],
  'compose.ts': [
    ...['lib', 'protocol', 'policy', 'select', 'storage', 'config', 'domain', 'auth'],
    ...['notifications', 'operations', 'workers', 'companions', 'http', 'admin', 'welcome.ts'],
    'compose-services.ts',
    'compose-workers.ts',
  ],
  'compose-services.ts': ['domain', 'operations'],
  'compose-workers.ts': ['lib', 'domain', 'storage', 'workers'],
  'maintenance.ts': ['lib', 'config', 'domain', 'storage', 'admin', 'compose.ts'],
  'welcome.ts': ['lib'],
  'main.ts': ['lib', 'config', 'compose.ts', 'cli'],
};

/** A finer rule about which files may import which modules. */
export interface FinerRule {
  /** As the reference says it. */
  readonly sentence: string;
  /** Files that the rule is about, by their path in `src/`. */
  readonly files: RegExp;
  /** Files that it spares. */
  readonly except?: RegExp;
  /** What they must not import: a path in `src/`, or the name of a module as it is written. */
  readonly modules: RegExp;
}

export const finerRules: readonly FinerRule[] = [
  {
    sentence:
      '`storage/disk` and the other blob and metadata stores are named by `storage/open.ts` and ' +
      'what it opens them with.',
    files: /./,
    except:
      /^storage\/(?:open(?:-volume|-offline)?\.ts|store-bond\.ts|describing\.ts|disk\/|s3\/|memory\/|sqlite\/|postgres\/|wrap\/)/,
    modules: /^storage\/(?:disk|s3|memory|sqlite|postgres|wrap)\//,
  },
  {
    sentence: 'A store does not know another one; `storage/wrap` may stand around any.',
    files: /^storage\/disk\//,
    modules: /^storage\/(?:s3|memory|sqlite|postgres|wrap|open\.ts)/,
  },
  {
    sentence: 'The same of `storage/sqlite` and `storage/memory`.',
    files: /^storage\/(?:sqlite|memory)\//,
    modules: /^storage\/(?:disk|s3|postgres|wrap|open\.ts)/,
  },
  {
    sentence: '`protocol`, `policy`, `select` and `client` run in a browser: no `node:` modules.',
    files: /^(?:protocol|policy|select|client)\//,
    except: /^client\/node\.ts$/,
    modules: /^node:/,
  },
  {
    sentence: 'They do not import `lib/node` either, which needs Node.',
    files: /^(?:protocol|policy|select|client)\//,
    except: /^client\/node\.ts$/,
    modules: /^lib\/node\//,
  },
  {
    sentence: 'What needs Node in `lib` is in `lib/node`.',
    files: /^lib\//,
    except: /^lib\/node\//,
    modules: /^node:|^lib\/node\//,
  },
  {
    sentence: '`operations` never sees `storage`: a handler speaks to the domain.',
    files: /^operations\//,
    modules: /^storage\//,
  },
];
