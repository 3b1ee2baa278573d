# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page's style sheet: light and dark by the reader's own setting, wide and narrow, on paper too."""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--bg:#f6f5f1;--card:#fff;--ink:#1d2430;--soft:#5d6675;--rule:#e2dfd6;--c1:#2864c8;
--c2:#c2571a;--c3:#2e8b57;--c4:#8a4fbf;--good:#1d7a46;--bad:#b3261e;--none:#7a7466;--goodbg:#e1f2e7;--badbg:#fbe3e0;
--nonebg:#edeae1;--blue:#3b78d8;--green:#2e9e63;--edge:#fdf0df;--data:#e7eefb;--cache:#fbe6e6;--store:#eaf4e4;--gate:#efeaf7}
@media (prefers-color-scheme:dark){
:root{--bg:#12161d;--card:#1a2029;--ink:#e8eaee;--soft:#9aa5b5;--rule:#2c3542;
--c1:#7aa9f7;--c2:#f0a36b;--c3:#6fd19b;--c4:#c79bf0;--good:#7fd6a3;--bad:#ff9b92;--none:#b3ab98;--goodbg:#17352a;
--badbg:#452422;--nonebg:#2b2a26;--blue:#5d93ea;--green:#4fbf85;--edge:#3a2f20;--data:#1e2c45;--cache:#402528;
--store:#22331f;--gate:#2c2638}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%}
main,header,footer,nav{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
h1{font:600 30px/1.2 Georgia,"Times New Roman",serif;margin:0}
h2{font:600 21px/1.3 Georgia,"Times New Roman",serif;margin:0 0 4px}
h3{font-size:16px;margin:18px 0 6px}
p{margin:6px 0}
.soft,.note{color:var(--soft)}
.note{font-size:14px}
.keep{white-space:nowrap}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:14px;margin-bottom:18px}
a{color:var(--c1)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:22px 0}
.tile,section{background:var(--card);border:1px solid var(--rule);border-radius:14px}
.tile{padding:14px 16px}
.tile b{display:block;font-size:25px;line-height:1.2}
.tile span{color:var(--soft);font-size:14px}
.tile.good b{color:var(--good)}
.tile.bad b{color:var(--bad)}
section{padding:22px 24px;margin:0 0 18px}
.wide{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:15px;margin-top:10px}
th,td{text-align:left;padding:8px 10px;border-top:1px solid var(--rule);vertical-align:top}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap}
td.title{min-width:200px}
td.title .note{font-weight:400}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot th,tfoot td{border-top:2px solid var(--ink);font-weight:600}
.chip{display:inline-block;border-radius:99px;padding:1px 10px;font-size:13px;font-weight:600;white-space:nowrap}
.met,.good .chip{background:var(--goodbg);color:var(--good)}
.missed{background:var(--badbg);color:var(--bad)}
.notmeasured{background:var(--nonebg);color:var(--none)}
.bar{height:12px;border-radius:6px;background:var(--nonebg);overflow:hidden;margin:8px 0}
.bar i{display:block;height:100%;background:var(--c3)}
.bar.over i{background:var(--bad)}
.shares{display:flex;gap:3px;height:12px;margin:10px 0 4px}
.shares i{border-radius:4px}
.shares .met{background:var(--c3)}
.shares .missed{background:var(--bad)}
.shares .notmeasured{background:var(--rule)}
.meter{display:block;min-width:90px;height:10px;margin-top:7px;border-radius:5px;background:var(--nonebg)}
.meter i{display:block;height:100%;min-width:2px;border-radius:5px;background:var(--c1)}
.stage{display:inline-block;background:var(--edge);border:1px solid var(--rule);border-radius:10px;padding:6px 12px;
font-size:14px}
.gantt{margin:12px 0}
.gantt div.row{display:grid;
grid-template-columns:minmax(110px,250px) 1fr 136px;gap:10px;align-items:center;
font-size:14px;padding:2px 0}
.gantt .track{position:relative;height:16px;background:var(--nonebg);border-radius:5px}
.gantt .track i{position:absolute;top:0;bottom:0;min-width:3px;border-radius:5px;background:var(--c1);opacity:.85}
.gantt .role{color:var(--soft);padding-left:14px;overflow-wrap:anywhere}
.gantt .role+.track{height:10px}
.gantt .role+.track i{opacity:.5}
.gantt .same i{background:var(--none)}
.gantt .wrong i{background:var(--bad)}
.gantt .val{color:var(--soft);text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;font-size:13px}
details{border-top:1px solid var(--rule);padding:8px 0}
summary{cursor:pointer;font-weight:600}
summary span{font-weight:400;color:var(--soft)}
details ul{margin:6px 0;padding-left:20px;font-size:14px;max-height:420px;overflow:auto}
li{overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--badbg);color:var(--ink);border-radius:10px;padding:12px;
font-size:13px;margin:8px 0}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));gap:18px;margin-top:12px}
.figure{margin:0}
.figure figcaption{font-size:14px;font-weight:600}
.plot{width:100%;height:auto}
.plot .grid{stroke:var(--rule)}
.plot .tick{fill:var(--soft);font-size:12px}
.plot .line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft)}
.legend i.limit{height:3px;vertical-align:3px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.platform{display:block;width:100%;height:auto;margin-top:8px}
.platform.narrow{display:none}
.platform text{fill:var(--ink);font:14px system-ui,sans-serif}
.platform .name{font-weight:600}
.platform .small,.platform .tier{fill:var(--soft);font-size:12px}
.platform .tier{font-weight:600;letter-spacing:.06em}
.platform .box{fill:var(--card);stroke:var(--soft)}
.platform .edge{fill:var(--edge)}
.platform .data{fill:var(--data)}
.platform .cache{fill:var(--cache)}
.platform .store,.platform .task{fill:var(--store)}
.platform .gate{fill:var(--gate)}
.platform .vpc{fill:none;stroke:var(--soft);stroke-width:1.5}
.platform .zone{fill:none;stroke:var(--rule);stroke-dasharray:5 5;stroke-width:1.5}
.platform .slot{fill:var(--card);stroke:var(--rule);stroke-width:1.5}
.platform .slot.live.blue{stroke:var(--blue);stroke-width:3}
.platform .slot.live.green{stroke:var(--green);stroke-width:3}
.platform .taskdot.blue{fill:var(--blue)}
.platform .taskdot.green{fill:var(--green)}
.platform .arrow{stroke:var(--soft);stroke-width:1.8}
.platform .tip{fill:var(--soft)}
footer{color:var(--soft);font-size:14px;padding-top:8px;padding-bottom:40px}
@media (max-width:640px){
main,header,footer,nav{padding-left:12px;padding-right:12px}
section{padding:16px 14px;border-radius:12px}
h1{font-size:25px}
.tiles{grid-template-columns:repeat(2,1fr)}
.tile b{font-size:21px}
.gantt div.row{grid-template-columns:minmax(84px,40%) 1fr auto;gap:6px;font-size:13px}
.gantt .val>span{display:none}
.platform.broad{display:none}
.plot .tick{font-size:15px}
.platform.narrow{display:block;max-width:420px;margin:8px auto 0}
.stage{display:block}
table.stack,table.stack tbody,table.stack tfoot{display:block}
table.stack thead{display:none}
table.stack tr{display:block;padding:8px 0;border-top:1px solid var(--rule)}
table.stack td{display:flex;justify-content:space-between;gap:16px;border:0;padding:2px 0;text-align:right}
table.stack td::before{content:attr(data-label);color:var(--soft);text-align:left;flex:0 0 38%}
table.stack td.title{font-weight:600;text-align:left}
table.stack td.title::before,table.stack td:has(.meter)::before{content:none}
table.stack td:has(.meter)>span{width:100%}
table.stack td.prose{display:block;text-align:left}
table.stack td.prose::before{display:block}
table.stack td:has(span:empty){display:none}}
@media print{body{background:#fff}
section,.tile{break-inside:avoid;border-color:#bbb}
details:not([open])>*:not(summary){display:none}}
"""
