/* markdown.js - model cards: headings, lists, tables, code, quotes, emphasis and links; the facts
 * between two lines of --- at the top as a table. Whatever else stands there is shown as it is,
 * HTML too: a card is text, and nothing of it is run. */

/** A text with `code`, **strong**, *emphasis*, [links](https://...) as nodes. */
function inline(text) {
  const nodes = [], pattern = /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, code, strong, emphasis, label, address] = match;
    nodes.push(text.slice(last, match.index));
    if (code) nodes.push(h('code', {}, code));
    else if (strong) nodes.push(h('strong', {}, ...inline(strong)));
    else if (emphasis) nodes.push(h('em', {}, ...inline(emphasis)));
    else nodes.push(h('a', { href: address, rel: 'noopener noreferrer' }, label));
    last = match.index + whole.length;
  }
  return [...nodes, text.slice(last)].filter((node) => node !== '');
}

/** Lines while they match, taken off the list. */
function takeWhile(lines, test) {
  const taken = [];
  while (lines.length && test(lines[0])) taken.push(lines.shift());
  return taken;
}

function frontMatter(lines) {
  if (lines[0]?.trim() !== '---') return null;
  const end = lines.findIndex((line, i) => i > 0 && line.trim() === '---');
  if (end < 0) return null;
  const rows = lines.splice(0, end + 1).slice(1, -1);
  return h('pre', {}, rows.join('\n'));
}

function tableOf(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  const [head, , ...rows] = lines;
  return table(cells(head).map((cell) => h('th', { scope: 'col' }, ...inline(cell))),
    rows.map((row) => h('tr', {}, cells(row).map((cell) => h('td', {}, ...inline(cell))))));
}

const isBullet = (line) => /^\s*[-*+]\s+/.test(line), isNumbered = (line) => /^\s*\d+[.)]\s+/.test(line);
const isBlock = (line) => /^(#{1,6}\s|```|>|\s*$)/.test(line) || isBullet(line) || isNumbered(line);

function listOf(tag, lines, test) {
  const items = [];
  while (lines.length && (test(lines[0]) || (/^\s+\S/.test(lines[0]) && !isBlock(lines[0])))) {
    const line = lines.shift();
    if (test(line)) items.push(line.replace(/^\s*([-*+]|\d+[.)])\s+/, ''));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return h(tag, {}, items.map((item) => h('li', {}, ...inline(item))));
}

function block(lines) {
  const line = lines[0], heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) {
    lines.shift();
    return h(`h${Math.min(6, heading[1].length + 2)}`, {}, ...inline(heading[2]));
  }
  if (line.startsWith('```')) {
    lines.shift();
    const code = takeWhile(lines, (l) => !l.startsWith('```'));
    lines.shift();
    return h('pre', {}, code.join('\n'));
  }
  if (isBullet(line)) return listOf('ul', lines, isBullet);
  if (isNumbered(line)) return listOf('ol', lines, isNumbered);
  if (line.startsWith('>')) return h('blockquote', {}, ...inline(takeWhile(lines, (l) => l.startsWith('>')).map((l) => l.replace(/^>\s?/, '')).join(' ')));
  if (line.includes('|') && /^[\s|:-]+$/.test(lines[1] || '') && lines[1].includes('-')) return tableOf(takeWhile(lines, (l) => l.includes('|')));
  lines.shift();
  return h('p', {}, ...inline([line, ...takeWhile(lines, (l) => !isBlock(l))].join(' ')));
}

/** The elements of a text. */
function markdown(text) {
  const lines = text.split(/\r?\n/), elements = [frontMatter(lines)];
  while (lines.length) {
    if (!lines[0].trim()) { lines.shift(); continue; }
    elements.push(block(lines));
  }
  return elements;
}
