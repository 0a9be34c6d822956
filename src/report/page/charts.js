/* charts.js - lines over time or steps, and boxes over tracks, as SVG that stretches with the page. */

/** Round numbers from low to high, about n of them. */
function niceTicks(low, high, n) {
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw * 0.999) || 10);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(i * step);
  return ticks;
}

/** Least and largest with a little room; outliers below the 1st percentile may be cut. */
function rangeOf(values, cut = 0) {
  const sorted = finite(values).sort((a, b) => a - b);
  if (sorted.length === 0) return [0, 1];
  const low = quantile(sorted, cut), high = quantile(sorted, 1 - cut / 10);
  const room = high > low ? (high - low) * 0.06 : Math.abs(high) / 2 || 1;
  return [low - room, high + room];
}

/** Points as the parts of a path; a value that is no number is a gap. */
function linePath(xs, ys, toX, toY) {
  let path = '', pen = false;
  for (let i = 0; i < xs.length; i++) {
    const drawn = isNumber(xs[i]) && isNumber(ys[i]);
    if (drawn) path += `${pen ? 'L' : 'M'}${toX(xs[i]).toFixed(2)} ${toY(ys[i]).toFixed(2)}`;
    if (drawn && !pen && !isNumber(ys[i + 1])) path += 'h0.01';
    pen = drawn;
  }
  return path;
}

/** The index of the x nearest to `at`; xs rise. */
function nearest(xs, at) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < at) low = middle; else high = middle;
  }
  return Math.abs(xs[high] - at) < Math.abs(xs[low] - at) ? high : low;
}

/**
 * Lines. series: [{name, xs, ys, colour, dash, pale}]
 * options: {x: [low, high], y, label, format(x), xFormat(x), showX, hover(index by x) }
 */
function linePlot(series, options) {
  const [x0, x1] = options.x, [y0, y1] = options.y || rangeOf(series.flatMap((s) => s.ys));
  const toX = (x) => 1000 * (x - x0) / (x1 - x0 || 1), toY = (y) => 100 - 100 * (y - y0) / (y1 - y0 || 1);
  const ticks = niceTicks(y0, y1, 3), format = options.format || short;
  const drawing = svg('svg', { viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': options.label });
  for (const tick of ticks) drawing.append(svg('line', { class: 'grid', x1: 0, x2: 1000, y1: toY(tick), y2: toY(tick) }));
  for (const s of series)
    drawing.append(svg('path', { class: s.pale ? 'line pale' : 'line', d: linePath(s.xs, s.ys, toX, toY),
      style: `stroke: ${s.colour}`, 'stroke-dasharray': s.dash || null }));
  const labels = ticks.map((tick) => h('span', { class: 'tick', style: `top: ${toY(tick)}%` }, format(tick)));
  const cursor = h('div', { class: 'cursor', hidden: true });
  const area = h('div', { class: 'area' }, drawing, labels, cursor);
  const xTicks = options.showX === false ? null : h('div', { class: 'x-ticks', 'aria-hidden': 'true' },
    niceTicks(x0, x1, 5).map((x) => h('span', { style: `left: ${toX(x) / 10}%` }, (options.xFormat || short)(x))));
  const plot = h('div', { class: 'plot' }, area, xTicks);
  if (options.hover) followPointer(area, cursor, [x0, x1], options.hover);
  return plot;
}

/** hover(x) at the pointer, hover(null) when it leaves. */
function followPointer(area, cursor, [x0, x1], hover) {
  area.addEventListener('pointermove', (event) => {
    const box = area.getBoundingClientRect(), part = (event.clientX - box.left) / box.width;
    cursor.hidden = false;
    cursor.style.left = `${100 * part}%`;
    hover(x0 + part * (x1 - x0));
  });
  area.addEventListener('pointerleave', () => { cursor.hidden = true; hover(null); });
}

function legend(series) {
  return h('ul', { class: 'legend' }, series.map((s) => h('li', {},
    h('i', { class: s.dash ? 'dashed' : null, style: `--stem: ${s.colour}`, 'aria-hidden': 'true' }), s.name)));
}

/** Box plots over tracks: quartiles, whiskers to the last point within 1.5 of their distance, and
 *  every track as a dot. rows: [{name, values: [{value, track}], colour}] */
function boxPlots(rows, label) {
  const [low, high] = rangeOf(rows.flatMap((row) => row.values.map((v) => v.value)));
  const part = (x) => `${(100 * (x - low) / (high - low)).toFixed(2)}%`;
  const ticks = niceTicks(low, high, 5);
  return h('div', { class: 'boxes', role: 'img', 'aria-label': label },
    rows.map((row) => h('div', { class: 'box-row' }, h('span', { class: 'box-name' }, row.name), boxOf(row, ticks, part))),
    h('div', { class: 'box-row axis', 'aria-hidden': 'true' }, h('span', { class: 'box-name' }),
      h('div', { class: 'x-ticks' }, ticks.map((t) => h('span', { style: `left: ${part(t)}` }, short(t))))));
}

function boxOf(row, ticks, part) {
  const sorted = row.values.map((v) => v.value).sort((a, b) => a - b);
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q));
  const near = sorted.filter((x) => x >= q1 - 1.5 * (q3 - q1) && x <= q3 + 1.5 * (q3 - q1));
  const drawing = svg('svg', { class: 'box', style: `--stem: ${row.colour}` });
  for (const t of ticks) drawing.append(svg('line', { class: 'grid', x1: part(t), x2: part(t), y1: 0, y2: '100%' }));
  if (sorted.length > 2) {
    drawing.append(svg('line', { class: 'whisker', x1: part(near[0]), x2: part(near[near.length - 1]), y1: '50%', y2: '50%' }));
    drawing.append(svg('rect', { class: 'quartiles', x: part(q1), width: `${Math.max(0.2, parseFloat(part(q3)) - parseFloat(part(q1)))}%`, y: '22%', height: '56%', rx: 2 }));
  }
  row.values.forEach((v, i) => {
    const dot = svg('circle', { class: 'dot', cx: part(v.value), cy: `${50 + 16 * Math.sin(i * 2.4)}%`, r: 3 });
    dot.append(svg('title', {}, `${v.track}: ${decimal(v.value)}`));
    drawing.append(dot);
  });
  if (sorted.length) drawing.append(svg('line', { class: 'median', x1: part(q2), x2: part(q2), y1: '14%', y2: '86%' }));
  return drawing;
}
