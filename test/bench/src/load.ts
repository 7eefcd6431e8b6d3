// The process that makes the load: settings on its command line, commands and results by messages.
import { connectBarePairs } from './bare-pairs.js';
import { ClosedLoop } from './closed-loop.js';
import { FanOutLoad } from './fan-out-load.js';
import { IdleLoad } from './idle-load.js';
import type { LoadCommand, LoadSettings } from './load-settings.js';
import { OpenLoop } from './open-loop.js';
import { connectSottoPairs } from './sotto-pairs.js';
import { StormLoad } from './storm-load.js';

const settings = JSON.parse(process.argv[2] ?? '{}') as LoadSettings;
process.on('disconnect', () => process.exit(0));

if (settings.kind === 'idle') {
  const load = new IdleLoad(settings);
  await load.prepare();
  process.on('message', () => void load.connect().then(() => process.send?.({ connected: true })));
} else if (settings.kind === 'storm') {
  const load = new StormLoad(settings);
  await load.prepare();
  process.on('message', () => void load.storm().then((result) => process.send?.(result)));
} else {
  const load = loadOf(settings);
  await load.connect();
  process.on('message', (command: LoadCommand) => {
    if (command === 'go') load.go();
    else if (command === 'begin') load.measurement.begin();
    else if (command === 'end') process.send?.(load.measurement.end());
  });
}
process.send?.({ ready: true });

function loadOf(settings: LoadSettings): FanOutLoad | ClosedLoop | OpenLoop {
  if (settings.kind === 'fan-out') return new FanOutLoad(settings);
  const connectPairs = settings.kind === 'bare' ? connectBarePairs : connectSottoPairs;
  return settings.rate === undefined
    ? new ClosedLoop(settings, connectPairs)
    : new OpenLoop({ ...settings, rate: settings.rate }, connectPairs);
}
