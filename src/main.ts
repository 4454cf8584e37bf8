import { main } from './cli/main.ts';

// What `npm start` runs: `firn serve`, with the flags that follow.
await main(['serve', ...process.argv.slice(2)]);
