import { Box, Text } from 'ink';
import { memo, type ReactNode } from 'react';
import { panesOf } from './layout.js';
import type { Palette } from './palette.js';
import { inputRows, listRows, paneRows, ruleRow, statusRow, titleRow } from './screen-rows.js';
import { filled, type Row, span } from './spans.js';
import type { TuiState } from './state.js';

/** The whole screen: exactly as many rows and columns as the terminal has. */
export function App({ state, palette }: { readonly state: TuiState; readonly palette: Palette }): ReactNode {
  const panes = panesOf(state);
  const { list, pane, shows, body, framed } = panes;
  const { columns } = state;
  return (
    <Box flexDirection="column" width={columns}>
      {framed && <Line row={titleRow(state, columns)} palette={palette} />}
      <Box height={body}>
        {shows !== 'pane' && <Lines rows={listRows(state, list, body)} width={list} palette={palette} />}
        {shows === 'both' && <Lines rows={Array.from({ length: body }, () => DIVIDER)} width={1} palette={palette} />}
        {shows !== 'list' && <Lines rows={paneRows(state, pane, body)} width={pane} palette={palette} />}
      </Box>
      {framed && <Line row={ruleRow(state, columns)} palette={palette} />}
      <Lines rows={inputRows(state, columns, panes)} width={columns} palette={palette} />
      <Line row={statusRow(state, columns)} palette={palette} />
    </Box>
  );
}

const DIVIDER: Row = [span('│', 'dim')];

function Lines({ rows, width, palette }: { readonly rows: readonly Row[]; readonly width: number; readonly palette: Palette }): ReactNode {
  return (
    <Box flexDirection="column" width={width}>
      {rows.map((row, i) => (
        <Line key={i} row={filled(row, width)} palette={palette} />
      ))}
    </Box>
  );
}

/** A row that says the same is not laid out again. */
const Line = memo(
  function Line({ row, palette }: { readonly row: Row; readonly palette: Palette }): ReactNode {
    return (
      <Text wrap="truncate">
        {row.map(({ text, style }, i) => (
          <Text key={i} {...palette[style]}>
            {text}
          </Text>
        ))}
      </Text>
    );
  },
  (before, after) => before.palette === after.palette && isSameRow(before.row, after.row),
);

function isSameRow(a: Row, b: Row): boolean {
  return a.length === b.length && a.every((span, i) => span.text === b[i]?.text && span.style === b[i]?.style);
}
