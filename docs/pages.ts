import { cliPage } from './pages/cli.ts';
import { errorsPage } from './pages/errors.ts';
import { layersPage } from './pages/layers.ts';
import { metricsPage } from './pages/metrics.ts';
import { operationsPage } from './pages/operations.ts';
import { settingsPage } from './pages/settings.ts';

/** The pages of the reference that are made from tables, by path in `docs/`. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['reference/settings.md', settingsPage()],
    ['reference/cli.md', cliPage()],
    ['reference/metrics.md', metricsPage()],
    ['reference/operations.md', operationsPage()],
    ['reference/errors.md', errorsPage()],
    ['reference/layers.md', layersPage()],
  ]);
}
