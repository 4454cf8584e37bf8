import { AccessPolicies, type AccessPoliciesOptions } from './domain/access-policies.ts';
import { Archives, type ArchivesOptions } from './domain/archives.ts';
import { Capacity, type CapacityOptions } from './domain/capacity.ts';
import { Jobs, type JobsOptions } from './domain/jobs.ts';
import {
  NotificationSettings,
  type NotificationSettingsOptions,
} from './domain/notification-settings.ts';
import { RetrievalPolicies, type RetrievalPoliciesOptions } from './domain/retrieval-policies.ts';
import { Tags, type TagsOptions } from './domain/tags.ts';
import { Uploads, type UploadsOptions } from './domain/uploads.ts';
import { VaultLocks, type VaultLocksOptions } from './domain/vault-locks.ts';
import { Vaults, type VaultsOptions } from './domain/vaults.ts';
import type { Services } from './operations/handler.ts';

/** What the services are made of: each takes its own from it. */
export type ServiceParts = VaultsOptions &
  ArchivesOptions &
  UploadsOptions &
  JobsOptions &
  TagsOptions &
  NotificationSettingsOptions &
  RetrievalPoliciesOptions &
  CapacityOptions &
  AccessPoliciesOptions &
  VaultLocksOptions;

/** The domain services that operations speak to. */
export function assembleServices(parts: ServiceParts): Services {
  return {
    vaults: new Vaults(parts),
    archives: new Archives(parts),
    uploads: new Uploads(parts),
    jobs: new Jobs(parts),
    tags: new Tags(parts),
    notificationSettings: new NotificationSettings(parts),
    retrievalPolicies: new RetrievalPolicies(parts),
    capacity: new Capacity(parts),
    accessPolicies: new AccessPolicies(parts),
    vaultLocks: new VaultLocks(parts),
  };
}
