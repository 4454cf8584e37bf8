import { blobContentCases } from './blob-content.contract.ts';
import { blobCrashCases } from './blob-crash.contract.ts';
import { blobFailureCases } from './blob-failure.contract.ts';
import { blobLabelCases } from './blob-label.contract.ts';
import type { BlobStoreSubject } from './blob-specimen.ts';
import { declareContract } from './contract-suite.ts';

const cases = [...blobContentCases, ...blobLabelCases, ...blobFailureCases, ...blobCrashCases];

/** What every blob store promises. Declares one test for each promise. */
export function blobStoreContract(name: string, subject: BlobStoreSubject): void {
  declareContract(name, cases, subject);
}
