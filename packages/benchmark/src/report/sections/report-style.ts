/** Rules of a comparison's page, after those that all pages share. */

export const REPORT_STYLE = `
main > header p.answer { font-size: 19px; line-height: 1.45; font-weight: 600; margin: 18px 0 8px; }
h3 { font-size: 16px; margin: 26px 0 8px; overflow-wrap: anywhere; } h2 { scroll-margin-top: 12px; }
ul.plain { margin: 0 0 14px; padding-left: 20px; max-width: 68ch; } ul.plain li { margin: 3px 0; overflow-wrap: anywhere; }
p, .key span, figcaption { overflow-wrap: anywhere; min-width: 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 18px 0 0; padding: 10px 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); font-size: 14px; }
a { color: var(--series-0); } nav a { display: inline-block; padding: 4px 0; } :focus-visible { outline: 2px solid var(--series-0); outline-offset: 2px; }
.scroll { overflow-x: auto; } figure.card { overflow: visible; } .card > .scroll:last-child { margin-bottom: -6px; }
tbody th { color: inherit; font-size: inherit; font-weight: 500; } th.words, td.words { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 110px; }
td small, th small { display: block; color: var(--soft); font-weight: 400; font-size: 13px; } .card + .card { margin-top: 14px; }
td.good { font-weight: 600; }
fieldset { border: 0; margin: 8px 0 12px; padding: 0; } legend { float: left; margin-right: 14px; padding: 4px 0; color: var(--soft); font-size: 14px; }
.axes label { display: inline-block; padding: 4px 12px 4px 0; font-size: 14px; white-space: nowrap; } .axes input { margin: 0 6px 0 0; vertical-align: -1px; accent-color: var(--series-0); }
.axis { display: none; } .axes:has([value="samples"]:checked) ~ .figures .axis.samples, .axes:has([value="flops"]:checked) ~ .figures .axis.flops, .axes:has([value="seconds"]:checked) ~ .figures .axis.seconds { display: block; }
figure { margin: 0 0 14px; } figcaption { font-weight: 600; font-size: 15px; margin-bottom: 6px; }
.key svg { display: inline-block; vertical-align: middle; margin-right: 7px; }
.matrix td, .matrix thead th { text-align: center; padding: 5px 6px; min-width: 34px; font-size: 13px; } .matrix tbody th { white-space: normal; min-width: 120px; text-align: left; font-size: 13px; }
.matrix td { border: 1px solid var(--card); } .matrix td.own { font-weight: 600; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 12px; margin: 0; padding: 0; list-style: none; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px; font-size: 13px; line-height: 1.4; break-inside: avoid; }
.tile .head { display: flex; gap: 12px; align-items: center; margin-bottom: 8px; font-size: 14px; } .tile .head b { overflow-wrap: anywhere; min-width: 0; }
.tile dl { margin: 0; } .tile dt { color: var(--soft); margin-top: 4px; overflow-wrap: anywhere; } .tile dd { margin: 0 0 0 17px; display: flex; justify-content: space-between; gap: 8px; } .tile dd span { overflow-wrap: anywhere; min-width: 0; } .tile dd span + span { flex: none; }
.thumb { width: 56px; height: 56px; object-fit: contain; border-radius: 6px; background: #fff; flex: none; }
.none { display: inline-flex; align-items: center; justify-content: center; width: 56px; height: 56px; border: 1px dashed var(--line); border-radius: 6px; color: var(--soft); font-size: 11px; flex: none; text-align: center; overflow: hidden; }
.query { break-inside: avoid; } .query > .head { display: flex; gap: 12px; align-items: center; font-weight: 600; margin-bottom: 8px; }
.query .voice { display: grid; grid-template-columns: 170px 1fr; gap: 10px; padding: 8px 0; border-top: 1px solid var(--line); font-size: 14px; } .query .voice > span { overflow-wrap: anywhere; }
.strip { display: flex; flex-wrap: wrap; gap: 10px; margin: 0; padding: 0; list-style: none; } .strip li { width: 76px; font-size: 12px; line-height: 1.3; text-align: center; overflow-wrap: anywhere; } .strip .thumb, .strip .none { display: block; margin: 0 auto 3px; } .strip .right .thumb { outline: 3px solid var(--good); } .strip .right { color: var(--good); font-weight: 600; }
#search label { display: block; font-weight: 600; margin-bottom: 6px; } #search input { width: 100%; max-width: 420px; font: inherit; padding: 9px 12px; color: var(--ink); background: var(--page); border: 1px solid var(--soft); border-radius: 8px; }
#search .buttons { display: flex; flex-wrap: wrap; gap: 8px; margin: 10px 0; min-height: 34px; } #search button { font: inherit; font-size: 14px; color: var(--ink); background: var(--page); border: 1px solid var(--line); border-radius: 16px; padding: 4px 12px; cursor: pointer; max-width: 100%; overflow-wrap: anywhere; }
#search [data-part="status"] { min-height: 1.55em; } #search .results { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 14px 10px; margin: 12px 0 0; padding: 0; list-style: none; }
#search .results li { font-size: 12px; line-height: 1.3; text-align: center; overflow-wrap: anywhere; } #search .results img { display: block; margin: 0 auto 4px; border-radius: 6px; background: #fff; } #search .results span { display: block; } #search .results b { color: var(--soft); font-weight: 500; }
details { border-bottom: 1px solid var(--line); } details:last-child { border-bottom: 0; } summary { cursor: pointer; padding: 8px 0; overflow-wrap: anywhere; } details pre { margin: 0 0 12px; }
@media (max-width: 640px) {
  .stack, .stack tbody, .stack tr, .stack tbody th { display: block; } .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack tr { padding: 8px 0; border-bottom: 1px solid var(--line); } .stack tr:last-child { border-bottom: 0; padding-bottom: 0; } .stack tbody th { font-weight: 600; font-size: 15px; padding: 2px 0; border: 0; overflow-wrap: anywhere; }
  .stack td { display: flex; justify-content: space-between; gap: 16px; padding: 3px 0; border: 0; white-space: normal; text-align: right; } .stack td::before { content: attr(data-label); color: var(--soft); font-weight: 400; flex: none; text-align: left; } .stack td > div { min-width: 0; overflow-wrap: anywhere; }
  th, td { padding: 6px 6px; font-size: 14px; } td small, th small { font-size: 12px; } tbody th { white-space: normal; font-size: 14px; } .query .voice { grid-template-columns: 1fr; gap: 6px; } .grid { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); } .strip { gap: 5px; } .strip li { width: 52px; } .strip .thumb, .strip .none { width: 48px; height: 48px; } }
@media print { nav, .axes, #search .buttons, #search label, #search input { display: none; } a { color: inherit; } .wide { display: block; } .narrow { display: none; } th, td { padding: 4px 5px; font-size: 12px; white-space: normal; overflow-wrap: anywhere; } body { font-size: 13px; } }
`;
