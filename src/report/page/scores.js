/* scores.js - figures of evaluations: medians, boxes over tracks, a table of tracks, figures over
 * time. Several evaluations are compared. */

/** Files of older versions do not tell. */
function lessIsBetter(metric) {
  return data.metrics[metric] ? data.metrics[metric].better === 'lower' : ['SC', 'LSD'].includes(metric);
}

/** One figure of a stem of a track: of the whole, or the median over its frames, as museval. */
function figure(stem, metric) {
  if (isNumber(stem?.values?.[metric])) return stem.values[metric];
  return stem?.frames?.[metric] ? median(stem.frames[metric]) : NaN;
}

/** All metrics that any track has a number of, those by frame first. */
function metricNames(evaluations) {
  const names = new Set();
  for (const kind of ['frames', 'values'])
    for (const evaluation of evaluations)
      for (const track of evaluation.tracks)
        for (const stem of track.stems)
          for (const name of Object.keys(stem[kind])) if (isNumber(figure(stem, name))) names.add(name);
  return [...names];
}

function stemNames(evaluations) {
  const names = new Set();
  for (const { tracks } of evaluations) for (const { stems } of tracks) for (const { name } of stems) names.add(name);
  const known = ['vocals', 'drums', 'bass', 'guitar', 'piano'];
  const rank = (name) => (known.includes(name) ? known.indexOf(name) : name === 'other' ? 99 : 50);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** [{value, track}] of all tracks of an evaluation. */
function figuresOver(evaluation, stem, metric) {
  return evaluation.tracks
    .map((track) => ({ value: figure(track.stems.find((s) => s.name === stem), metric), track: track.name }))
    .filter((v) => isNumber(v.value));
}

function findTrack(evaluation, song) {
  const fits = (track) => track.name === song.name || `${track.split}/${track.name}` === song.name;
  return evaluation?.tracks.find((track) => fits(track) && (!song.split || !track.split || song.split === track.split));
}

/** The evaluation of a group of lanes: of its name, or the only one, or the one in its place. */
function evaluationOf(group) {
  const named = data.evaluations.find((e) => e.name === data.groups[group]);
  const groups = data.groups.length - GROUP_REFERENCE - 1;
  if (named || group <= GROUP_REFERENCE) return named;
  return data.evaluations.length === groups ? data.evaluations[group - GROUP_REFERENCE - 1] : undefined;
}

/** What stands beside a lane. */
function laneFacts(song, lane) {
  const track = findTrack(evaluationOf(lane.group), song), stem = track?.stems.find((s) => s.name === lane.stem);
  const shown = ['SDR', 'SI-SDR'].filter((name) => isNumber(figure(stem, name)));
  if (shown.length) return shown.map((name) => `${name} ${decimal(figure(stem, name), 1)}`).join(' · ');
  return lane.rms <= -120 ? 'silent' : `${decimal(lane.rms, 0)} dB`;
}

/* Over time, below the lanes ---------------------------------------------------------------- */

function frameSeries(song, metric) {
  const series = [];
  data.evaluations.forEach((evaluation, e) => {
    for (const stem of findTrack(evaluation, song)?.stems || []) {
      if (!stem.frames[metric] || finite(stem.frames[metric]).length === 0) continue;
      const name = data.evaluations.length > 1 ? `${stem.name}, ${evaluation.name}` : stem.name;
      series.push({ name, xs: stem.times, ys: stem.frames[metric], colour: stemColour(stem.name), dash: [null, '5 3', '1 3'][e % 3] });
    }
  });
  return series;
}

/** The elements of a song: a choice of metric, and lines on the time axis of the lanes. */
function frameChart(song, lanes) {
  const metrics = metricNames(data.evaluations).filter((name) => frameSeries(song, name).length);
  if (metrics.length === 0) return [];
  const head = h('div', { class: 'head' }), body = h('div', { class: 'body' });
  const show = (metric) => {
    const series = frameSeries(song, metric);
    const plot = linePlot(series, { x: [0, lanes.seconds], y: rangeOf(series.flatMap((s) => s.ys), 0.1), showX: false,
      label: `${metric} over time`, format: (x) => decimal(x, 0) });
    plot.addEventListener('pointerdown', (event) => lanes.drag(event, plot.firstChild));
    plot.firstChild.append(h('div', { class: 'playhead', hidden: lanes.length === 0 }));
    head.querySelector('ul')?.remove();
    head.append(legend(series));
    body.replaceChildren(plot);
  };
  head.append(h('label', { class: 'field' }, h('span', {}, 'Over time'),
    h('select', { change: (event) => show(event.target.value) }, metrics.map((m) => h('option', {}, m)))));
  show(metrics[0]);
  return [head, body];
}

/* The section ------------------------------------------------------------------------------- */

function scoresSection(openSong) {
  const { evaluations } = data;
  const metrics = metricNames(evaluations), stems = stemNames(evaluations);
  const root = h('div', {}), body = h('div', { class: 'score-body' });
  const show = (metric) => body.replaceChildren(h('div', {},
    h('div', { class: 'columns' },
      h('div', {}, h('h3', {}, `${metric}: all tracks`), boxes(metric, stems)),
      h('div', {}, h('h3', {}, 'Medians over tracks'), evaluations.length > 1 ? comparison(metric, stems) : medians(metrics, stems))),
    aboutMetric(metric), differences(metric, stems), trackTable(metric, stems, openSong)));
  if (metrics.length === 0) return h('p', {}, 'No track has figures.');
  root.append(segmented('metric', 'Figure', metrics.map((m) => [m, m]), metrics[0], show), body);
  show(metrics[0]);
  return root;
}

function boxes(metric, stems) {
  const rows = [];
  for (const stem of stems)
    data.evaluations.forEach((evaluation, e) => {
      const values = figuresOver(evaluation, stem, metric);
      const several = data.evaluations.length > 1;
      if (values.length) rows.push({ name: several ? `${stem}, ${evaluation.name}` : stem, values, colour: several ? seriesColour(e) : stemColour(stem) });
    });
  return boxPlots(rows, `${metric} of all tracks`);
}

function table(heads, rows) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table' }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map((head) => (head instanceof Element ? head : h('th', { scope: 'col' }, head))))),
    h('tbody', {}, rows)));
}

/* One evaluation: stems by metrics. */
function medians(metrics, stems) {
  const cell = (stem, metric) => h('td', {}, decimal(median(figuresOver(data.evaluations[0], stem, metric).map((v) => v.value))));
  return table(['Stem', ...metrics], stems.map((stem) => h('tr', {}, stemHead(stem), metrics.map((m) => cell(stem, m)))));
}

function stemHead(stem) {
  return h('th', { scope: 'row', class: 'stem', style: `--stem: ${stemColour(stem)}` }, h('i', { 'aria-hidden': 'true' }), stem);
}

/* Several evaluations: stems by models; the best is strong. */
function comparison(metric, stems) {
  const rows = stems.map((stem) => {
    const values = data.evaluations.map((e) => median(figuresOver(e, stem, metric).map((v) => v.value)));
    const best = (lessIsBetter(metric) ? Math.min : Math.max)(...finite(values));
    return h('tr', {}, stemHead(stem), values.map((x) => h('td', { class: x === best ? 'best' : null }, decimal(x))));
  });
  return table(['Stem', ...data.evaluations.map((e) => e.name)], rows);
}

function aboutMetric(metric) {
  const { about } = data.metrics[metric] || {};
  return typeof about === 'string' ? h('p', { class: 'note' }, `${metric}: ${about}${lessIsBetter(metric) ? '; less is better' : ''}`) : null;
}

/* Which method is better, as the file says: mean differences over songs with their intervals. */
function differences(metric, stems) {
  return data.differences.map((list) => {
    const percent = isNumber(list.confidence) ? `${Math.round(100 * list.confidence)} % ` : '';
    const rows = list.pairs.flatMap((pair) => stems.map((stem) => ({ pair, stem, d: pair?.stems?.[stem]?.[metric] })))
      .filter(({ d }) => isNumber(d?.mean));
    return rows.length ? [h('h3', {}, 'Which is better'), differenceTable(rows, percent)] : null;
  });
}

function differenceTable(rows, percent) {
  return h('div', { class: 'differences' }, table(['Stem', 'First', 'Second', 'First less second, mean', 'Median', `${percent}interval`, 'Better'],
    rows.map(({ pair, stem, d }) => h('tr', {}, stemHead(stem), h('td', {}, String(pair.first)), h('td', {}, String(pair.second)),
      h('td', {}, decimal(d.mean)), h('td', {}, isNumber(d.median) ? decimal(d.median) : '–'), h('td', {}, isNumber(d.low) ? `${decimal(d.low)} to ${decimal(d.high)}` : '–'),
      h('td', { class: d.better ? 'best' : null }, d.better || 'undecided')))));
}

/* Every track; a click on a head sorts. */
function trackTable(metric, stems, openSong) {
  const columns = data.evaluations.flatMap((e) => stems.map((stem) => ({ e, stem })))
    .filter(({ e, stem }) => figuresOver(e, stem, metric).length);
  const keys = new Map();
  for (const { tracks } of data.evaluations) for (const t of tracks) keys.set(`${t.split}/${t.name}`, { name: t.name, split: t.split });
  const rows = [...keys.values()].map((song) => ({ song,
    values: columns.map(({ e, stem }) => figure(findTrack(e, song)?.stems.find((s) => s.name === stem), metric)) }));
  const all = finite(rows.flatMap((row) => row.values)).sort((a, b) => a - b);
  const low = quantile(all, 0.05), high = quantile(all, 0.95), sign = lessIsBetter(metric) ? -1 : 1;
  const shade = (x) => {
    const part = Math.min(1, Math.max(0, (x - low) / (high - low || 1)));
    return isNumber(x) ? `--heat: ${(100 * (sign > 0 ? part : 1 - part)).toFixed(0)}%` : null;
  };
  const holder = h('div', {});
  let order = { column: -1, down: false };
  const show = () => {
    const sorted = [...rows].sort((a, b) => compareRows(a, b, order));
    holder.replaceChildren(table(heads(), sorted.map((row) => h('tr', {},
      h('th', { scope: 'row' }, songLink(row.song, openSong)),
      row.values.map((x) => h('td', { class: 'heat', style: shade(x) }, decimal(x)))))));
  };
  const sortBy = (column) => {
    order = { column, down: order.column === column ? !order.down : column >= 0 };
    show();
  };
  const heads = () => [-1, ...columns.keys()].map((column) => {
    const sorted = order.column === column ? (order.down ? 'descending' : 'ascending') : null;
    const { stem, e } = columns[column] || {};
    const name = column < 0 ? 'Track' : data.evaluations.length > 1 ? `${stem}, ${e.name}` : stem;
    return h('th', { scope: 'col', 'aria-sort': sorted }, h('button', { type: 'button', class: 'sort', click: () => sortBy(column) }, name));
  });
  show();
  return h('div', { class: 'tracks' }, h('h3', {}, `${metric} of each track`), holder);
}

function compareRows(a, b, { column, down }) {
  if (column < 0) return (a.song.name < b.song.name ? -1 : 1) * (down ? -1 : 1);
  const [x, y] = [a.values[column], b.values[column]];
  if (!isNumber(x) || !isNumber(y)) return isNumber(y) - isNumber(x);
  return (x - y) * (down ? -1 : 1);
}

function songLink(song, openSong) {
  const index = data.songs.findIndex((s) => s.name === song.name || s.name === `${song.split}/${song.name}`);
  if (index < 0) return song.name;
  return h('button', { type: 'button', class: 'link', click: () => openSong(index) }, song.name);
}
