// The process that makes the load: settings on its command line, commands and results by messages.
import { BareLoad } from './bare-load.js';
import { FanOutLoad } from './fan-out-load.js';
import type { LoadCommand, LoadSettings } from './load-settings.js';
import { IdleLoad, SottoLoad } from './sotto-load.js';

const settings = JSON.parse(process.argv[2] ?? '{}') as LoadSettings;
process.on('disconnect', () => process.exit(0));

if (settings.kind === 'idle') {
  const load = new IdleLoad(settings);
  await load.prepare();
  process.on('message', () => void load.connect().then(() => process.send?.({ connected: true })));
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

function loadOf(settings: LoadSettings): BareLoad | FanOutLoad | SottoLoad {
  if (settings.kind === 'bare') return new BareLoad(settings);
  return settings.kind === 'fan-out' ? new FanOutLoad(settings) : new SottoLoad(settings);
}
