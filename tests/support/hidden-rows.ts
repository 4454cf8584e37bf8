import type { BlobId } from '../../src/storage/blob-store.ts';
import { StoreError } from '../../src/storage/errors.ts';
import type { MetadataStore, Rows } from '../../src/storage/metadata-store.ts';

/**
 * The store, whose index does not find the row that names a blob, as if a byte of it had rotted.
 * `silently`: the store does not notice; `noticed`: it does when it is asked for the row itself.
 */
export function hidingRowsOf<S extends MetadataStore>(
  { store }: { readonly store: S },
  blobId: BlobId,
  how: 'silently' | 'noticed' = 'silently',
): S {
  const hiding = <R extends Rows>(rows: R): R => ({
    ...rows,
    blobs: {
      ...rows.blobs,
      isReferenced: async (id: BlobId) => id !== blobId && (await rows.blobs.isReferenced(id)),
      isNamedBy: async (owner: Parameters<R['blobs']['isNamedBy']>[0], id: BlobId) => {
        const isNamed = await rows.blobs.isNamedBy(owner, id);
        if (!isNamed || id !== blobId || how === 'silently') return isNamed;
        throw new StoreError('StoreUnavailable', 'An index of the database lacks the blob');
      },
    },
  });
  return new Proxy(store, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'read' && property !== 'write') return value.bind(target);
      return (work: (rows: Rows) => unknown) =>
        Reflect.apply(value, target, [(rows: Rows) => work(hiding(rows))]);
    },
  });
}
