/** What this report adds to the look of all: the confusion table, trials aligned in time, decisions. */
export const classificationStyles = `
.noted .panel-head{flex-wrap:wrap;row-gap:0}
.panel-note{flex-basis:100%;color:var(--soft);font-size:12px;min-height:17px}
.under-chart .key{margin:9px 0 0 44px}
.table-scroll{overflow-x:auto}
.facts{grid-template-columns:minmax(0,7fr) minmax(0,5fr)}
table.figures th{font-weight:400}
table.figures thead th{font-weight:600}
table.figures th[scope=row]{color:var(--ink)}
table.figures .n+:not(.n){padding-left:18px}
.confusion-scroll{overflow-x:auto;padding-bottom:2px}
table.confusion{table-layout:fixed;width:100%;border-collapse:separate;border-spacing:1px;font-size:12.5px;line-height:1.2}
table.confusion caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.confusion th,table.confusion td{border:0;padding:0;text-align:center;vertical-align:middle;white-space:nowrap}
table.confusion th{font-weight:400;color:var(--soft)}
table.confusion thead th{padding:0 0 5px;vertical-align:bottom;overflow:hidden}
table.confusion.long thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:96px;overflow:hidden}
table.confusion .corner{width:92px;font-size:11px}
table.confusion.long thead th.corner{text-align:right;padding-right:8px}
table.confusion.long thead th.corner span{writing-mode:initial;transform:none;display:block}
table.confusion tbody th{text-align:right;padding-right:8px;overflow:hidden;text-overflow:ellipsis;color:var(--ink)}
table.confusion tfoot th{text-align:right;padding:5px 8px 0 0}
table.confusion .sum{color:var(--soft);font-size:11.5px}
table.confusion thead th.sum,table.confusion tbody td.sum,table.confusion tfoot td.sum:last-child{width:48px}
table.confusion tfoot td{padding-top:5px;font-weight:400}
table.confusion tfoot td:last-child{color:var(--ink);font-weight:600}
table.confusion tbody td:not(.sum){position:relative;height:30px;background:var(--grid)}
table.confusion tbody td:not(.sum)::before{content:"";position:absolute;inset:0;opacity:var(--share)}
table.confusion td.right::before{background:var(--blue)}
table.confusion td.wrong::before{background:var(--vermilion)}
table.confusion td span{position:relative}
table.confusion td.strong{color:var(--panel)}
table.confusion td.none{color:transparent}
table.confusion td.right.none{color:inherit}
table.confusion.small{font-size:10.5px}
table.confusion.small tbody td:not(.sum){height:23px}
table.confusion.tiny{font-size:8.5px}
table.confusion.tiny tbody td:not(.sum){height:18px}
table.confusion.tiny .sum{font-size:9px}
.mistakes{font:13px/1.55 var(--sans);color:var(--soft);margin-top:12px;max-width:60em}
.mistakes b{color:var(--ink);font-weight:600}
.aligned{position:relative;display:flex;flex-direction:column;gap:12px}
.trials .column{gap:18px}
.column-head .letter{margin-right:6px}
.aligned .u-cursor-x{display:none}
.aligned .panel-head{margin-bottom:1px;min-height:18px}
.aligned .chart{min-height:0}
.strip canvas{display:block;width:100%;touch-action:pan-y;cursor:crosshair}
.time-line{position:absolute;top:0;bottom:0;width:1px;background:var(--grey);opacity:.6;pointer-events:none}
.time-range{position:absolute;top:0;bottom:0;background:var(--shade);border:solid var(--ochre);border-width:0 1px;pointer-events:none}
.decision{list-style:none;margin:4px 0 0;padding:0;font:12.5px/1.5 var(--sans)}
.decision li{display:grid;grid-template-columns:minmax(5em,9em) 1fr 4em;gap:10px;align-items:center;padding:2px 0;color:var(--soft)}
.decision li .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;text-align:right}
.decision li .bar{height:9px;border-radius:2px;background:var(--grey);min-width:1px}
.decision li.label{color:var(--ink);font-weight:600}
.decision li.label .bar{background:var(--blue)}
.decision li.wrong .bar{background:var(--vermilion)}
@media (max-width:900px){.facts{grid-template-columns:minmax(0,1fr)}}
@media (max-width:640px){
table.confusion{min-width:calc(100px + var(--classes)*23px);font-size:11px}
table.confusion .corner{width:58px;font-size:9.5px}
table.confusion thead th.sum,table.confusion tbody td.sum,table.confusion tfoot td.sum:last-child{width:42px}
table.confusion tbody th,table.confusion thead th.corner,table.confusion tfoot th{position:sticky;left:0;z-index:1;background:var(--paper)}
table.confusion tbody td:not(.sum){height:25px}
}
@media print{
.facts{grid-template-columns:minmax(0,4fr) minmax(0,3fr)}
table.figures{font-size:7.5pt}
.table-scroll,.confusion-scroll{overflow:visible}
.panel-note{font-size:7pt;min-height:0}
table.confusion .sum{font-size:6.5pt}
table.confusion{font-size:7.5pt}
table.confusion tbody td:not(.sum){height:15pt}
table.confusion.small,table.confusion.tiny{font-size:6pt}
table.confusion.small tbody td:not(.sum),table.confusion.tiny tbody td:not(.sum){height:11pt}
.mistakes{font-size:8pt}
.aligned{gap:5px}
.trials .column{gap:8px}
.decision{font-size:8pt}
.trials .column,.trials .aligned{break-inside:avoid}
}
`;
