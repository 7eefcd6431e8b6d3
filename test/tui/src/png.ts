import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

const require = createRequire(import.meta.url);
/** No font of the machine: the same screen is the same picture wherever it is made. */
const FONTS = ['DejaVuSansMono.ttf', 'DejaVuSansMono-Bold.ttf'].map((name) => require.resolve(`dejavu-fonts-ttf/ttf/${name}`));
const FAMILY = 'DejaVu Sans Mono';
/** Sharp on screens of twice the density, at the width of a page on GitHub. */
const ZOOM = 2;

/** A picture for where no SVG is shown. */
export function pngOf(svg: string): Buffer {
  const font = { fontFiles: FONTS, loadSystemFonts: false, defaultFontFamily: FAMILY, monospaceFamily: FAMILY };
  return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: ZOOM } }).render().asPng();
}
