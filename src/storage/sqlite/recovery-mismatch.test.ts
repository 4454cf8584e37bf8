import assert from 'node:assert/strict';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { blobId } from '../metadata-specimen.ts';
import { addUploadedArchive } from '../metadata-upload-specimen.ts';
import { isRepairUnfinished, isSalvageDue, noteRepairFinished } from '../repair-state.ts';
import { flipInIndex } from './damage-specimen.ts';
import { rebuildDatabase } from './rebuild.ts';
import { factIn, type House, inHouse, isUnavailable } from './recovery-specimen.ts';
import { dumpTables } from './table-dump.ts';

const goingOn = new AbortController().signal;

describe('a database, a journal and snapshots that do not fit', () => {
  test('a newest snapshot that is damaged is missed when the journal does not reach as far', async () => {
    await inHouse(async (house) => {
      await house.fill('snapshot');
      await house.fill('snapshot');
      const [newest] = await house.snapshots.list();
      assert.ok(newest !== undefined);
      house.snapshots.damage(newest.name);
      const { batches } = house.journal;
      house.journal = new MemoryJournal(batches.filter((each) => each.sequence < newest.sequence));
      await rm(house.path);
      await assert.rejects(house.open(), /firn repair --rebuild/);
      const { lost } = await rebuildDatabase({ ...house, loss: 'accept' });
      assert.match(lost.join(), new RegExp(`Batch ${newest.sequence} is lost`));
      await using store = await house.open();
      await store.write(({ facts }) => facts.set('name', 'value'));
      assert.ok(house.journal.lastSequence > newest.sequence);
    });
  });

  test('an old database without a journal is refused beside newer snapshots, and not gone on with', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      await copyFile(house.path, `${house.path}.old`);
      await house.fill('snapshot');
      await house.fill('snapshot');
      await copyFile(`${house.path}.old`, house.path);
      house.journal = new MemoryJournal();
      await assert.rejects(house.open(), /firn repair --rebuild/);
      assert.equal((await house.snapshots.list()).length, 2);
      const { snapshot, lost } = await rebuildDatabase({ ...house, loss: 'accept' });
      const [newest] = await house.snapshots.list();
      assert.equal(snapshot?.name, newest?.name);
      assert.equal(lost.length, 1);
      await using store = await house.open();
      assert.equal(await factIn(store, 'fact 2'), 'value');
      await store.takeSnapshot(goingOn);
      const kept = (await house.snapshots.list()).map(({ name }) => name);
      assert.equal(kept[1], newest?.name);
    });
  });

  test('an old database with the journal of its time is made again from a newer snapshot', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      await copyFile(house.path, `${house.path}.old`);
      const old = new MemoryJournal(house.journal.batches);
      await house.fill('no snapshot');
      await house.fill('snapshot');
      await copyFile(`${house.path}.old`, house.path);
      const whole = house.journal;
      house.journal = old;
      await assert.rejects(house.open(), /the snapshot has batch/);
      house.journal = whole;
      await using store = await house.open();
      assert.equal(await factIn(store, 'fact 2'), 'value');
    });
  });

  for (const what of ['the next batch', 'the last batch']) {
    test(`a journal of another history is told from its own by ${what}`, async () => {
      await inHouse(async (house) => {
        await house.fill('no snapshot');
        const before = new MemoryJournal(house.journal.batches);
        await copyFile(house.path, `${house.path}.old`);
        await setFact(house, 'mine', 'this');
        const mine = `${house.path}.mine`;
        await copyFile(house.path, mine);
        // The same data directory, restored from a backup, went another way.
        house.journal = before;
        await copyFile(`${house.path}.old`, house.path);
        await setFact(house, 'other', 'that');
        if (what === 'the next batch') await setFact(house, 'other', 'more');
        await copyFile(mine, house.path);
        await using store = await house.open();
        assert.equal(await factIn(store, 'mine'), undefined);
        assert.equal(await factIn(store, 'other'), what === 'the next batch' ? 'more' : 'that');
        assert.deepEqual(house.log.names('error'), ['metadata.damaged']);
      });
    });
  }

  test('an older snapshot that does without a loss is preferred where one is accepted', async () => {
    await inHouse(async (house) => {
      await house.fill('snapshot');
      const chunks = (async function* () {
        yield await readFile(house.path);
      })();
      // It says that it is of a batch that it does not contain.
      await house.snapshots.write(chunks, house.journal.lastSequence - 1);
      const { lost } = await rebuildDatabase({ ...house, loss: 'accept' });
      assert.deepEqual(lost, []);
    });
  });
});

test('what a rebuild has lost is noted, so that the blobs are asked for it', async () => {
  await inHouse(async (house) => {
    await house.fill('snapshot');
    {
      await using store = await house.open();
      assert.equal(await isRepairUnfinished(store), false);
    }
    house.journal = new MemoryJournal();
    await rebuildDatabase({ ...house, loss: 'accept' });
    await using store = await house.open();
    assert.equal(await isRepairUnfinished(store), true);
    await noteRepairFinished(store);
    assert.equal(await isRepairUnfinished(store), false);
  });
});

test('a journal that was lost is noted, since the database may be an old one', async () => {
  await inHouse(async (house) => {
    await house.fill('no snapshot');
    house.journal = new MemoryJournal();
    {
      await using store = await house.open();
      assert.equal(await isSalvageDue(store), true);
      assert.equal(await isRepairUnfinished(store), false);
      await store.takeSnapshot(goingOn);
      await noteRepairFinished(store);
    }
    await using store = await house.open();
    assert.equal(await isSalvageDue(store), false);
    await store[Symbol.asyncDispose]();
    // The note is in the journal as well.
    const before = dumpTables(house.path);
    await rebuildDatabase({ ...house, loss: 'refuse' });
    assert.deepEqual(dumpTables(house.path), before);
  });
});

for (const [what, index, owner, text] of [
  ['an archive', 'archive_blobs_by_blob', { archiveId: 'archive 2' }, 'archive 2.1'],
  ['a part', 'parts_by_blob', { uploadId: 'upload of parts' }, 'upload of parts.part 1'],
  ['a part', 'parts_by_blob', { archiveId: 'parts' }, 'upload of parts.part 1'],
] as const) {
  const named = Object.keys(owner).join();
  test(`the row of ${what}, by its ${named}, against an index that lacks it tells of damage`, async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      {
        await using store = await house.open();
        await addUploadedArchive(store, 'parts');
      }
      await flipInIndex(house.path, index, text);
      const id = blobId(text);
      {
        await using store = await house.open();
        const isReferenced = await store.read(({ blobs }) => blobs.isReferenced(id));
        assert.equal(isReferenced, false);
        // Not even the write that notices it.
        const write = store.write(async ({ blobs, facts }) => {
          await assert.rejects(blobs.isNamedBy(owner, id), isUnavailable);
          await facts.set('name', 'value');
        });
        await assert.rejects(write, isUnavailable);
        await assert.rejects(
          store.read(({ blobs }) => blobs.isNamedBy(owner, id)),
          isUnavailable,
        );
        await assert.rejects(
          store.write(({ facts }) => facts.set('name', 'value')),
          isUnavailable,
        );
      }
      await using store = await house.open();
      const isReferenced = await store.read(({ blobs }) => blobs.isReferenced(id));
      assert.equal(isReferenced, true);
    });
  });
}

async function setFact(house: House, name: string, value: string): Promise<void> {
  await using store = await house.open();
  await store.write(({ facts }) => facts.set(name, value));
}
