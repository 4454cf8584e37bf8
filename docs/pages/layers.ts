import { finerRules, layers } from '../../tests/structure/layers.ts';
import { code, pageHead, table } from '../markdown.ts';

export function layersPage(): string {
  const rows = Object.entries(layers).map(([layer, allowed]) => [
    code(layer),
    allowed.map(code).join(' ') || 'nothing',
  ]);
  return `${pageHead('Layers', 'tests/structure/layers.ts')}\
Each folder and file of \`src/\` imports only from those in its row. Nothing else, not even a type.

${table(['Folder', 'May import'], rows)}
And finer rules:

${finerRules.map(({ sentence }) => `- ${sentence}\n`).join('')}`;
}
