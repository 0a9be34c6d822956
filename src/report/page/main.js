/* main.js - the sections that there is something for, and the keys. */

function section(id, title, ...content) {
  return h('section', { id, class: 'card', 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), content);
}

function subtitle() {
  const { songs, evaluations, runs, groups } = data, parts = [];
  if (songs.length) parts.push(plural(songs.length, 'song'));
  if (data.leftOut) parts.push(`${data.leftOut} left out`);
  const models = groups.slice(GROUP_REFERENCE + 1);
  if (models.length) parts.push(models.join(', '));
  if (evaluations.length) parts.push(`figures of ${plural(new Set(evaluations.flatMap((e) => e.tracks.map((t) => `${t.split}/${t.name}`))).size, 'track')}`);
  if (runs.length) parts.push(plural(runs.length, 'training run'));
  return parts.join(' · ');
}

function aboutSection() {
  const megabytes = (x) => `${decimal(x / 1e6, 1)} MB`;
  return section('about', 'About this page',
    definition([['Made by', `Ravel ${data.version}`], ['Size', megabytes(data.bytes) + (data.audioBytes ? `, of these ${megabytes(data.audioBytes)} sound` : '')],
      ['Spectrograms', data.songs.length ? `mel scale, 30 Hz to 16 kHz, ${data.range} dB below the loudest point of a song` : undefined]]),
    data.command ? h('pre', { class: 'command' }, data.command) : null);
}

function build() {
  const main = document.getElementById('main');
  let lanes = null;
  document.getElementById('title').textContent = data.title;
  document.getElementById('subtitle').textContent = subtitle();
  if (data.songs.length) {
    const root = h('div', { class: 'listen' });
    main.append(section('listen', 'Listen', root));
    lanes = new Lanes(root);
  }
  const openSong = (index) => {
    lanes.open(index);
    document.getElementById('listen').scrollIntoView();
  };
  if (data.evaluations.length) main.append(section('scores', 'Scores', scoresSection(openSong)));
  if (data.runs.length) main.append(section('training', 'Training', trainingSection()));
  if (data.cards.length) main.append(section('model', 'Model', data.cards.map(cardSection)));
  main.append(aboutSection());
  document.getElementById('nav').append(...[...main.querySelectorAll('section')].map((s) => h('a', { href: `#${s.id}` }, s.id === 'about' ? 'About' : s.querySelector('h2').textContent)));
  return lanes;
}

/* Keys are for the page unless something that has the focus takes them itself. */
function takesKey(target, key) {
  if (target.closest('select, textarea, dialog[open], input:not([type=range]):not([type=radio])')) return true;
  if (key === ' ' || key === 'Enter') return Boolean(target.closest('button, a, summary'));
  return key.startsWith('Arrow') && Boolean(target.closest('input'));
}

function listenToKeys(lanes) {
  const keys = document.getElementById('keys');
  document.getElementById('help').addEventListener('click', () => keys.showModal());
  document.getElementById('theme').addEventListener('click', toggleTheme);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || takesKey(event.target, event.key)) return;
    if (event.key === 't') toggleTheme();
    else if (event.key === '?') keys.showModal();
    else if (!lanes?.key(event)) return;
    event.preventDefault();
  });
}

const lanes = build();
listenToKeys(lanes);
prefersDark.addEventListener('change', themeChanged);
themeChanged();
