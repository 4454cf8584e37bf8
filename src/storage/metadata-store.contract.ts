import { declareContract } from './contract-suite.ts';
import { accountCases } from './metadata-accounts.contract.ts';
import { archiveCases } from './metadata-archives.contract.ts';
import { capacityCases } from './metadata-capacity.contract.ts';
import { crashCases } from './metadata-crash.contract.ts';
import { forgettingCases } from './metadata-forgetting.contract.ts';
import { jobCases } from './metadata-jobs.contract.ts';
import { retrievalCases } from './metadata-retrievals.contract.ts';
import type { MetadataStoreSubject } from './metadata-specimen.ts';
import { transactionCases } from './metadata-transactions.contract.ts';
import { uploadedArchiveCases } from './metadata-uploaded-archives.contract.ts';
import { uploadCases } from './metadata-uploads.contract.ts';
import { vaultSettingsCases } from './metadata-vault-settings.contract.ts';
import { vaultCases } from './metadata-vaults.contract.ts';
import { verificationCases } from './metadata-verifications.contract.ts';

const cases = [
  ...transactionCases,
  ...crashCases,
  ...vaultCases,
  ...vaultSettingsCases,
  ...archiveCases,
  ...uploadCases,
  ...uploadedArchiveCases,
  ...forgettingCases,
  ...jobCases,
  ...retrievalCases,
  ...capacityCases,
  ...accountCases,
  ...verificationCases,
];

/** What every metadata store promises. Declares one test for each promise. */
export function metadataStoreContract(name: string, subject: MetadataStoreSubject): void {
  declareContract(name, cases, subject);
}
