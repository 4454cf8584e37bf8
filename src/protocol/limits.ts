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
  /** Developer guide, "List Vaults": 10, which is also what you get for more. */
  listVaultsMax: 10,
  /** Developer guide, "List Jobs": 50, which is also what you get for more. */
  listJobsMax: 50,
  /** Ours: bodies other than archives and parts. The API's largest document is a 20 KiB policy. */
  documentSizeBytesMax: 1024 * 1024,
} as const;
