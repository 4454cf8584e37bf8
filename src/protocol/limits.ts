/** Every number that the API documents, each with its source. */
export const limits = {
  /** Developer guide, "Uploading an Archive in a Single Operation": 1 byte … 4 GB. */
  archiveSizeBytesMax: 4_294_967_296,
  /** Developer guide, "Upload Archive" and "Initiate Job": at most 1,024 bytes of 0x20–0x7E. */
  descriptionBytesMax: 1024,
  /** Developer guide, "Create Vault": 1–255 characters. */
  vaultNameLengthMax: 255,
  /** Developer guide, "Working with Vaults": 1,000 vaults per account and region. */
  vaultsPerRegionMax: 1000,
  /**
   * Developer guide, "Uploading Large Archives in Parts": 1 MB times a power of two, from 1 MB to
   * 4 GB.
   */
  partSizeBytesMin: 1024 * 1024,
  partSizeBytesMax: 4_294_967_296,
  /** Developer guide, "Uploading Large Archives in Parts": 10,000 parts. */
  partsPerUploadMax: 10_000,
  /** Developer guide, "Initiate Multipart Upload": may be removed after 24 hours of no activity. */
  uploadIdleMsMax: 24 * 60 * 60 * 1000,
  /** Ours, for the guide's "a short period" in which an end may be asked for again: 24 hours. */
  uploadRememberedMs: 24 * 60 * 60 * 1000,
  /** Developer guide, "Tagging Your Vaults": 50. The SDK's text has an older number, 10. */
  tagsPerVaultMax: 50,
  /** Developer guide, "Add Tags To Vault" and "Remove Tags From Vault": 10 in one request. */
  tagsPerRequestMax: 10,
  /** Developer guide, "Tagging Resources": 1–128 characters in a key, 0–256 in a value. */
  tagKeyLengthMax: 128,
  tagValueLengthMax: 256,
  /** Developer guide, "Vault Access Policies": 20 KB, and the same for a lock's policy. */
  policySizeBytesMax: 20 * 1024,
  /** Developer guide, "Initiate Vault Lock": the lock expires unless completed within 24 hours. */
  vaultLockExpiryMs: 24 * 60 * 60 * 1000,
  /** Developer guide, "Set Data Retrieval Policy": a 64-bit integer. */
  bytesPerHourMax: 2n ** 63n - 1n,
  /** AWS, public pricing since 2016: 10 GB a month, of which a day may use its share. */
  freeTierSizeBytesPerMonth: 10 * 1024 ** 3,
  /** AWS, public pricing until 2016: a retrieval counts as if it took four hours. */
  retrievalCountsMsMin: 4 * 60 * 60 * 1000,
  /** Developer guide, "Provisioned Capacity": two units in an account. */
  capacityUnitsMax: 2,
  /** Developer guide, "Provisioned Capacity": at least three retrievals in five minutes, each unit. */
  expeditedPerCapacityUnit: 3,
  expeditedWindowMs: 5 * 60 * 1000,
  /** Developer guide, "List Vaults": 10, which is also what you get for more. */
  listVaultsMax: 10,
  /** Developer guide, "List Jobs": 50, which is also what you get for more. */
  listJobsMax: 50,
  /** Developer guide, "List Multipart Uploads" and "List Parts": 50, and more gives no more. */
  listUploadsMax: 50,
  listPartsMax: 50,
  /** Ours: bodies other than archives and parts. The API's largest document is a 20 KiB policy. */
  documentSizeBytesMax: 1024 * 1024,
} as const;
