/* training.js - curves of training runs, their recipes and models. */

const curveTitles = { loss: 'Loss', si_sdr: 'SI-SDR, dB', lr: 'Learning rate', gradient_norm: 'Norm of the gradient' };

/** The curves by name: what is measured in training and in validation shares a chart. */
function curveGroups() {
  const groups = new Map();
  data.runs.forEach((run, r) => {
    for (const series of run.series) {
      if (!groups.has(series.name)) groups.set(series.name, []);
      groups.get(series.name).push({ ...series, run, r });
    }
  });
  const order = ['loss', 'si_sdr', 'lr', 'gradient_norm'];
  const rank = (name) => (order.includes(name) ? order.indexOf(name) : name.startsWith('loss') ? 1.5 : 9);
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/* In one run colours tell training from validation, in several they tell the runs. */
function curve(series) {
  const valid = series.kind !== 'train', several = data.runs.length > 1;
  return { name: several ? `${series.run.name}, ${series.kind}` : series.kind, xs: series.steps, ys: series.values,
    colour: several ? seriesColour(series.r) : seriesColour(valid ? 1 : 0), pale: !valid && several, dash: several && valid ? '5 3' : null };
}

function curveChart(name, list) {
  const curves = list.map(curve), readout = h('p', { class: 'readout' });
  const steps = curves.flatMap((c) => [c.xs[0], c.xs[c.xs.length - 1]]).filter(isNumber);
  const usual = list.map(summary(name)).join(' · ');
  const hover = (x) => {
    readout.textContent = x === null ? usual : `step ${short(x)}: ${curves.map((c) => `${c.name} ${short(c.ys[nearest(c.xs, x)])}`).join(' · ')}`;
  };
  hover(null);
  return h('figure', { class: 'curve' }, h('figcaption', {}, h('h3', {}, curveTitles[name] || name), legend(curves)),
    linePlot(curves, { x: [Math.min(...steps), Math.max(...steps)], y: rangeOf(curves.flatMap((c) => c.ys), 0), label: `${name} by step`, hover }),
    readout);
}

/* The best of what is validated, the last of all else. */
function summary(name) {
  return (series) => {
    const prefix = data.runs.length > 1 ? `${series.run.name}, ${series.kind}` : series.kind;
    if (series.kind === 'train') return `${prefix}: last ${short(series.last)}`;
    const [step, value] = name.startsWith('loss') ? series.least : series.most;
    return `${prefix}: best ${short(value)} at step ${short(step)}`;
  };
}

function trainingSection() {
  return h('div', {}, h('div', { class: 'curves' }, curveGroups().map(([name, list]) => curveChart(name, list))),
    data.runs.map((run) => [run.recipe && details(`Recipe of ${run.name}`, h('pre', {}, run.recipe)),
      run.model && details(`Model of ${run.name}`, weightsCard(run.model))]));
}

function details(title, ...content) {
  return h('details', {}, h('summary', {}, title), content);
}

/* Cards ------------------------------------------------------------------------------------- */

function definition(rows) {
  return h('dl', { class: 'facts-list' }, rows.filter(([, value]) => value !== undefined && value !== '')
    .flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

function weightsCard(card) {
  const { config } = card, rest = { ...config };
  const known = [['license', 'Licence'], ['provenance', 'Provenance'], ['training_data', 'Training data']];
  const texts = known.filter(([key]) => typeof config[key] === 'string').map(([key, name]) => { delete rest[key]; return [name, config[key]]; });
  delete rest.class;
  return h('div', {}, definition([['File', card.name], ['Kind', card.kind], ['Class', typeof config.class === 'string' ? config.class : undefined],
    ['Parameters', short(card.parameters)], ['Tensors', String(card.tensors)], ...texts]),
    Object.keys(rest).length ? details('Configuration', h('pre', {}, JSON.stringify(rest, null, 2))) : null);
}

function cardSection(card) {
  return card.text === undefined ? weightsCard(card) : h('div', { class: 'prose' }, markdown(card.text));
}
