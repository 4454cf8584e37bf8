import { accountId, body, header, limit, list, marker, required, vaultName } from './members.ts';
import type { Members, Shape } from './shape.ts';

/** Developer guide, "Describe Vault": `LastInventoryDate` is null before the first inventory. */
const vaultDescription = {
  creationDate: required(body('CreationDate', 'string')),
  lastInventoryDate: body('LastInventoryDate', 'string'),
  numberOfArchives: body('NumberOfArchives', 'integer'),
  sizeInBytes: body('SizeInBytes', 'integer'),
  vaultARN: required(body('VaultARN', 'string')),
  vaultName: required(body('VaultName', 'string')),
} as const satisfies Members;

export const vaultShapes = {
  CreateVault: {
    input: { accountId, vaultName },
    output: { location: required(header('location')) },
  },
  DescribeVault: {
    input: { accountId, vaultName },
    output: vaultDescription,
  },
  ListVaults: {
    input: { accountId, limit, marker },
    output: {
      marker: body('Marker', 'string'),
      vaultList: required(body('VaultList', list(vaultDescription))),
    },
  },
  DeleteVault: {
    input: { accountId, vaultName },
    output: {},
  },
} as const satisfies Record<string, Shape>;
