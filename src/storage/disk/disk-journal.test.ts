import { journalContract } from '../journal.contract.ts';
import { DiskJournalSpecimen } from './journal-specimen.ts';

journalContract('DiskJournal on simulated files', { open: () => DiskJournalSpecimen.simulated() });

journalContract('DiskJournal in a directory', { open: () => DiskJournalSpecimen.real() });
