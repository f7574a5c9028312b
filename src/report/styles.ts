/** The look of the page: paper and ink, two accent colours, figures in a plain sans. Light, dark and print. */

export const light: Readonly<Record<string, string>> = {
  paper: "#fdfcf9",
  panel: "#ffffff",
  ink: "#1b1e23",
  soft: "#555b64",
  rule: "#dad6cc",
  grid: "#eceae3",
  blue: "#1c5f9c",
  vermilion: "#b4421f",
  ochre: "#9a6a0c",
  teal: "#14756f",
  plum: "#77458a",
  grey: "#80868f",
  band: "rgba(28,95,156,0.17)",
  faint: "rgba(28,95,156,0.42)",
  shade: "rgba(154,106,12,0.09)",
  notice: "#fbf3df",
};

export const dark: Readonly<Record<string, string>> = {
  paper: "#14161a",
  panel: "#1a1d22",
  ink: "#ebe8e1",
  soft: "#a9adb5",
  rule: "#363b43",
  grid: "#282c33",
  blue: "#7fb6ec",
  vermilion: "#f38f6b",
  ochre: "#e2b65a",
  teal: "#5fc6bc",
  plum: "#cba0d8",
  grey: "#8c929b",
  band: "rgba(127,182,236,0.22)",
  faint: "rgba(127,182,236,0.5)",
  shade: "rgba(226,182,90,0.1)",
  notice: "#2b2618",
};

/** Colours as variables of a style sheet. */
export const tokens = (set: Readonly<Record<string, string>>): string =>
  Object.entries(set)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");

/** Of what `histogramSvg` draws, in a page or a file of its own. */
export const histogramStyle = `svg .grid{stroke:var(--grid)}
svg .axis{stroke:var(--grey)}
svg .tick{font-size:11px;fill:var(--soft)}
svg .axis-title{font-size:12px;fill:var(--soft)}
svg .bars{stroke-linejoin:miter}
svg .area{fill:var(--band);stroke:var(--blue);stroke-width:1.2}
svg .outline{fill:none;stroke:var(--ink);stroke-width:1.2}
svg .mark{stroke:var(--vermilion);stroke-width:1.2}
svg .fit{fill:none;stroke:var(--vermilion);stroke-width:1.4}
svg .fit.dashed{stroke-dasharray:5 3}
svg .mark-text{font-size:11px;fill:var(--vermilion)}
`;

const page = `
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 var(--serif);font-variant-numeric:tabular-nums lining-nums}
main{max-width:1080px;margin:0 auto;padding:0 28px 96px}
h1,h2,h3,p{margin:0;text-wrap:pretty}
h1{font:400 clamp(30px,4.4vw,44px)/1.15 var(--serif);letter-spacing:-.012em;text-wrap:balance}
h2{font:400 25px/1.25 var(--serif);letter-spacing:-.006em;margin:76px 0 8px;padding-top:18px;border-top:1px solid var(--rule)}
h3{font:600 13px/1.4 var(--sans)}
a{color:var(--blue);text-underline-offset:2px}
.lead{font-size:19px;line-height:1.55;max-width:46em;margin-top:20px}
.text{max-width:44em;color:var(--soft)}
.absent{max-width:44em;color:var(--soft);font-style:italic;margin-top:10px}
.top{display:flex;justify-content:space-between;gap:20px;align-items:center;padding:22px 0 54px;font:13px/1.4 var(--sans);color:var(--soft)}
.top nav{display:flex;flex-wrap:wrap;gap:4px 18px}
.top nav a{color:var(--soft);text-decoration:none}
.top nav a:hover{color:var(--ink);text-decoration:underline}
.eyebrow{font:600 12px/1.4 var(--sans);letter-spacing:.09em;text-transform:uppercase;color:var(--blue);margin-bottom:12px}
.notes{margin:30px 0 0;padding:14px 20px 14px 38px;background:var(--notice);border-left:3px solid var(--ochre);border-radius:0 4px 4px 0;font:14px/1.55 var(--sans)}
.notes li{padding-left:2px}
.notes li::marker{color:var(--ochre)}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);margin:40px 0 0;border-top:1px solid var(--ink);border-bottom:1px solid var(--rule)}
.tile{padding:16px 18px 15px 0;border-top:1px solid var(--rule);margin-top:-1px;font-family:var(--sans)}
.tile dt{font-size:12.5px;line-height:1.35;color:var(--soft)}
.tile dd{margin:0}
.tile .value{font:400 31px/1.2 var(--serif);letter-spacing:-.01em;margin:5px 0 3px;white-space:nowrap}
.tile .value small{font-size:16px;letter-spacing:0;color:var(--soft)}
.tile .note{font-size:12px;line-height:1.4;color:var(--soft)}
.tile.alarm .value{color:var(--vermilion)}
figure{margin:26px 0 0;padding:0;break-inside:avoid}
figcaption{font:13px/1.55 var(--sans);color:var(--soft);margin-top:14px;max-width:72em}
figcaption b{color:var(--ink);font-weight:600}
.panels{display:grid;gap:26px 30px}
.cols-1{grid-template-columns:minmax(0,1fr)}
.cols-2{grid-template-columns:repeat(2,minmax(0,1fr))}
.cols-3{grid-template-columns:repeat(3,minmax(0,1fr))}
.span-2{grid-column:span 2}
.span-all{grid-column:1/-1}
.panel{min-width:0;break-inside:avoid}
.panel-head{display:flex;align-items:baseline;gap:9px;font:13px/1.4 var(--sans);margin-bottom:5px;min-height:19px}
.letter{font-weight:700;font-size:14px}
.panel-title{color:var(--ink)}
.panel-title .unit{color:var(--soft)}
.readout{margin-left:auto;color:var(--soft);font-size:12px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;max-width:66%;text-align:right}
.chart{min-height:60px}
.chart .uplot{font-family:var(--sans)}
.chart .u-cursor-x{border-color:var(--grey)}
.x-title{font:12px/1.3 var(--sans);color:var(--soft);text-align:center;margin-top:-1px}
.key{display:flex;flex-wrap:wrap;gap:4px 20px;font:12.5px/1.5 var(--sans);color:var(--soft);margin:0 0 14px;padding:0;list-style:none;align-items:center}
.key li{display:flex;align-items:center;gap:7px}
.key i{display:inline-block;width:20px;height:0;border-top:2px solid var(--c);flex:none}
.key i.thin{border-top-width:1px}
.key i.dashed{border-top:1px dashed var(--c)}
.key i.ring{width:10px;height:10px;border:2px solid var(--c);border-radius:50%}
.key i.dot{width:6px;height:6px;border:0;border-radius:50%;background:var(--c)}
.key i.block{width:14px;height:10px;border:0;background:var(--c);border-radius:2px}
.controls{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center;font:13px/1.4 var(--sans);color:var(--soft);margin:16px 0 14px}
.switch{display:inline-flex;border:1px solid var(--rule);border-radius:5px;overflow:hidden}
.switch button{border:0;border-radius:0;border-left:1px solid var(--rule)}
.switch button:first-child{border-left:0}
button,select{font:13px/1.4 var(--sans);color:var(--ink);background:var(--panel);border:1px solid var(--rule);border-radius:5px;padding:5px 11px;cursor:pointer}
select{padding:4px 6px;max-width:100%}
button:hover,select:hover{border-color:var(--grey)}
button[aria-pressed=true]{background:var(--ink);color:var(--paper)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
input[type=range]{accent-color:var(--blue);width:170px;vertical-align:middle}
.column{display:flex;flex-direction:column;gap:24px;min-width:0}
.column-head{font:13px/1.4 var(--sans);display:flex;flex-direction:column;align-items:flex-start;gap:5px;border-bottom:1px solid var(--rule);padding-bottom:10px}
.column-head .rank{font:italic 400 17px/1.3 var(--serif)}
.raster{position:relative}
.raster canvas{display:block;width:100%;touch-action:pan-y;cursor:grab;border-radius:2px}
.raster canvas.dragging{cursor:grabbing}
.tools{display:flex;gap:5px;margin-left:auto;flex-wrap:wrap}
.tools button{min-width:30px;padding:3px 8px;font-size:12.5px}
.raster-head{display:flex;flex-wrap:wrap;align-items:center;gap:8px;margin-bottom:8px;font:13px/1.4 var(--sans)}
.raster-head .count{color:var(--soft)}
.hint{font:12px/1.4 var(--sans);color:var(--soft);margin-top:6px}
svg.histogram{display:block;width:100%;height:auto;font-family:var(--sans)}
${histogramStyle}.stack{display:flex;height:26px;border-radius:3px;overflow:hidden;gap:1px}
.stack span{display:block;background:var(--c);min-width:1px}
table{border-collapse:collapse;font:13.5px/1.45 var(--sans);width:100%}
th{font-weight:600;text-align:left;color:var(--soft)}
td,th{padding:6px 14px 6px 0;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{border-bottom:1px solid var(--ink);color:var(--ink)}
tfoot td,tfoot th{border-top:1px solid var(--ink);border-bottom:0;color:var(--ink);font-weight:600}
td.n,th.n{text-align:right;padding-right:0;padding-left:14px;white-space:nowrap}
td i.block{display:inline-block;width:12px;height:10px;border-radius:2px;background:var(--c);margin-right:9px}
.environment th{font-weight:400;width:13em;white-space:nowrap}
.environment td{overflow-wrap:anywhere}
pre{font:12.5px/1.6 var(--mono);background:var(--panel);border:1px solid var(--rule);border-radius:5px;padding:14px 16px;margin:10px 0 0;overflow:auto;tab-size:2}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere}
details{margin-top:14px;font-family:var(--sans)}
details pre{max-height:560px}
summary{cursor:pointer;font-size:14px;padding:4px 0}
.spaced{margin-top:26px}
footer{margin-top:80px;padding-top:16px;border-top:1px solid var(--rule);font:12.5px/1.5 var(--sans);color:var(--soft)}
@media (max-width:900px){.tiles{grid-template-columns:repeat(3,1fr)}.cols-3{grid-template-columns:repeat(2,minmax(0,1fr))}.cols-3.examples{grid-template-columns:minmax(0,1fr)}}
@media (max-width:640px){main{padding:0 18px 64px}.tiles{grid-template-columns:repeat(2,1fr)}.cols-2,.cols-3{grid-template-columns:minmax(0,1fr)}.span-2{grid-column:auto}.top{padding-bottom:34px;align-items:flex-start}.lead{font-size:17px}h2{margin-top:56px}.tools{margin-left:0}}
`;

/** Set while printing, before the browser lays out the paper: charts are drawn for this width. */
const printing = `
:root.printing main{width:690px;max-width:690px;padding:0;margin:0}
:root.printing .screen{display:none!important}
:root.printing .cols-3,:root.printing .cols-3.examples{grid-template-columns:repeat(3,minmax(0,1fr));gap:14px 16px}
:root.printing .cols-2{grid-template-columns:repeat(2,minmax(0,1fr));gap:14px 18px}
:root.printing .span-2{grid-column:span 2}
`;

const print = `
@page{margin:15mm 14mm}
html{color-scheme:light}
body{font-size:10.5pt;background:#fff}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{width:690px;max-width:100%;padding:0;margin:0}
.screen,.top,button,input,.hint,.readout{display:none!important}
h1{font-size:23pt}
h2{font-size:14pt;margin-top:18pt;padding-top:7pt;break-after:avoid}
h2+.text{break-after:avoid}
.lead{font-size:11.5pt;line-height:1.45;margin-top:9pt}
.notes{margin-top:14pt;padding:7pt 12pt 7pt 24pt;font-size:9pt}
.column{gap:10px}
figure{margin-top:10pt}
.panel-head{margin-bottom:1px;min-height:0}
footer{margin-top:24pt}
.tiles{grid-template-columns:repeat(5,1fr);margin-top:14pt}
.tile{padding:6pt 8pt 6pt 0}
.tile .value{font-size:17pt}
.tile .value small{font-size:9pt}
.tile dt,.tile .note{font-size:7.5pt}
figure,.panel,.tiles,.notes,table,tr,pre.command{break-inside:avoid}
figcaption{font-size:8pt;line-height:1.45}
.key,.panel-head,.column-head,.x-title{font-size:8pt}
.column-head .rank{font-size:11pt}
select{appearance:none;border:0;padding:0;background:none;color:inherit;font-size:8pt}
.cols-3,.cols-3.examples{grid-template-columns:repeat(3,minmax(0,1fr));gap:12px 16px}
.cols-2{grid-template-columns:repeat(2,minmax(0,1fr));gap:12px 18px}
.span-2{grid-column:span 2}
table{font-size:8.5pt}
details pre{max-height:none;white-space:pre-wrap;overflow-wrap:anywhere;font-size:7.5pt}
a{color:inherit;text-decoration:none}
`;

export const sans = `-apple-system,BlinkMacSystemFont,"Segoe UI","Inter","Helvetica Neue","Open Sans",Arial,sans-serif`;

const fonts = [
  `--serif:"Iowan Old Style","Palatino Linotype",Palatino,"Source Serif 4","URW Palladio L",P052,Charter,Georgia,serif`,
  `--sans:${sans}`,
  "--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace",
].join(";");

/** Names of colours that figures may use. */
export type Colour = keyof typeof light;

/** Colours of curves that are told apart by it, in turn. */
export const seriesColours = ["blue", "ochre", "teal", "plum", "vermilion"] as const satisfies readonly Colour[];

export const seriesColour = (index: number): Colour => seriesColours[index % seriesColours.length];

export function styleSheet(): string {
  return [
    `:root{${fonts};${tokens(light)}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${tokens(dark)}}}`,
    `:root[data-theme=dark]{${tokens(dark)};color-scheme:dark}`,
    ":root[data-theme=light]{color-scheme:light}",
    page,
    printing,
    // Three times :root outweighs the choice of a theme: paper is white.
    `@media print{:root:root:root{${tokens(light)};--paper:#fff}${print}}`,
  ].join("\n");
}
