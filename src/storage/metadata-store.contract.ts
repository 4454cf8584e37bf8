import { declareContract } from './contract-suite.ts';
import { accountCases } from './metadata-accounts.contract.ts';
import { archiveCases } from './metadata-archives.contract.ts';
import { crashCases } from './metadata-crash.contract.ts';
import { forgettingCases } from './metadata-forgetting.contract.ts';
import { jobCases } from './metadata-jobs.contract.ts';
import type { MetadataStoreSubject } from './metadata-specimen.ts';
import { transactionCases } from './metadata-transactions.contract.ts';
import { vaultCases } from './metadata-vaults.contract.ts';
import { verificationCases } from './metadata-verifications.contract.ts';

const cases = [
  ...transactionCases,
  ...crashCases,
  ...vaultCases,
  ...archiveCases,
  ...forgettingCases,
  ...jobCases,
  ...accountCases,
  ...verificationCases,
];

/** What every metadata store promises. Declares one test for each promise. */
export function metadataStoreContract(name: string, subject: MetadataStoreSubject): void {
  declareContract(name, cases, subject);
}
