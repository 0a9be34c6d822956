/* lanes.js - a song: transport, a lane for each stem, solo and mute, seeking. */

const GROUP_MIX = 0, GROUP_REFERENCE = 1;

class Lanes {
  constructor(root) {
    this.root = root;
    this.index = 0;
    this.view = data.songs[0].lanes.length > 6 ? 'spectrogram' : 'both';
    this.player = new Player(() => this.refresh(), (text) => this.tell(text));
    this.build();
    this.open(0);
    new ResizeObserver(() => this.draw()).observe(this.list);
    themeListeners.push(() => this.draw());
  }

  get song() {
    return data.songs[this.index];
  }

  /* Controls ------------------------------------------------------------------------------ */

  build() {
    this.playButton = h('button', { type: 'button', class: 'play', id: 'play', click: () => this.toggle() });
    this.time = h('output', { class: 'time', 'aria-label': 'Position' });
    this.slider = h('input', { type: 'range', class: 'seek', step: '0.1', 'aria-label': 'Position in the song',
      input: () => this.player.seek(Number(this.slider.value)) });
    this.loopButton = h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'false', title: 'Repeat (l)',
      click: () => this.toggleLoop() }, 'Repeat');
    const volume = h('input', { type: 'range', min: '0', max: '1', step: '0.01', value: '1', 'aria-label': 'Volume',
      input: () => this.player.setVolume(Number(volume.value) ** 2) });
    this.groups = h('div', { class: 'groups' });
    this.status = h('p', { class: 'status', role: 'status' });
    this.transport = h('div', { class: 'transport' }, this.playButton, this.time, this.groups,
      segmented('view', 'Show', [['wave', 'Waveforms'], ['spectrogram', 'Spectrograms'], ['both', 'Both']], this.view,
        (view) => this.setView(view)),
      h('div', { class: 'group-end' }, this.loopButton, h('label', { class: 'volume' }, h('span', {}, 'Volume'), volume)));
    this.list = h('div', { class: 'lanes' });
    this.frames = h('div', { class: 'frames' });
    this.root.append(...[this.buildPicker(), this.transport, this.status, this.slider, this.list, this.frames].filter(Boolean));
  }

  buildPicker() {
    if (data.songs.length < 2) return null;
    this.picker = h('select', { id: 'song', change: () => this.open(Number(this.picker.value)) },
      data.songs.map((song, i) => h('option', { value: i }, song.split ? `${song.name} (${song.split})` : song.name)));
    const step = (by, label, text) => h('button', { type: 'button', class: 'plain', 'aria-label': label, click: () => this.step(by) }, text);
    return h('div', { class: 'picker' }, h('label', { for: 'song' }, 'Song'), this.picker,
      step(-1, 'Previous song', '‹'), step(1, 'Next song', '›'));
  }

  step(by) {
    const n = data.songs.length;
    if (n > 1) this.open((this.index + by + n) % n);
  }

  /* A song -------------------------------------------------------------------------------- */

  open(index) {
    this.index = index;
    const song = this.song, heard = song.lanes.filter((lane) => lane.type);
    this.seconds = Math.max(0.001, ...song.lanes.map((lane) => lane.seconds));
    this.from = heard.length ? heard[0].from : 0;
    this.length = Math.max(0, ...heard.map((lane) => lane.length));
    this.states = song.lanes.map(() => ({ solo: false, mute: false }));
    this.texts = song.lanes.map((_, i) => pictureText(index, i));
    this.selected = 0;
    const peak = Math.max(...song.lanes.map((lane) => lane.peak));
    this.gain = 10 ** (-Math.max(-40, Math.min(0, peak)) / 20);
    if (this.picker) this.picker.value = String(index);
    this.player.reset(index, song.lanes, this.from, this.length);
    this.tell(this.limits());
    this.listGroups();
    this.list.replaceChildren(this.ruler(), ...song.lanes.map((lane, i) => this.lane(lane, i)), this.overlay());
    Object.assign(this.slider, { min: this.from, max: this.from + this.length, value: this.from });
    this.slider.hidden = this.transport.querySelector('.group-end').hidden = this.length === 0;
    this.playButton.hidden = this.time.hidden = this.length === 0;
    this.frames.replaceChildren(...frameChart(song, this));
    this.applyGains();
    this.draw();
    this.refresh();
  }

  limits() {
    if (this.length === 0) return 'This report holds no sound, only pictures.';
    if (this.length > this.seconds - 0.5) return '';
    return `Sound from ${clock(this.from)} to ${clock(this.from + this.length)}; pictures and figures are of the whole song.`;
  }

  tell(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }

  /* What can be listened to as a whole. */
  listGroups() {
    const used = [...new Set(this.song.lanes.map((lane) => lane.group))].sort((a, b) => a - b);
    const estimates = used.filter((group) => group > GROUP_REFERENCE);
    this.used = [...used.filter((group) => group === GROUP_MIX), ...estimates, ...used.filter((group) => group === GROUP_REFERENCE)];
    this.group = estimates[0] ?? this.used[0];
    this.groups.hidden = used.length < 2 || this.length === 0;
    this.groups.replaceChildren(segmented('group', 'Listen to', this.used.map((group) => [String(group), data.groups[group]]),
      String(this.group), (group) => this.listenTo(Number(group))));
  }

  listenTo(group) {
    this.group = group;
    choose('group', group);
    for (const state of this.states) state.solo = false;
    this.applyGains();
  }

  label(lane) {
    return lane.group === GROUP_MIX ? 'mix' : `${lane.stem}, ${data.groups[lane.group]}`;
  }

  lane(lane, i) {
    const button = (letter, word, key) => h('button', { type: 'button', class: `toggle ${word}`, 'aria-pressed': 'false',
      'aria-label': `${word} ${this.label(lane)}`, title: `${word} (${key})`,
      click: (event) => { this.select(i); this.toggleState(i, word); if (event.detail) event.currentTarget.blur(); } }, letter);
    const head = h('div', { class: 'head' },
      h('button', { type: 'button', class: 'name', click: () => this.select(i), keydown: (event) => this.headKey(event, i) },
        h('i', { 'aria-hidden': 'true' }), h('b', {}, lane.group === GROUP_MIX ? 'Mix' : lane.stem),
        i < 9 ? h('kbd', { 'aria-hidden': 'true' }, i + 1) : null),
      lane.group !== GROUP_MIX && h('span', { class: lane.group === GROUP_REFERENCE ? 'tag reference' : 'tag' }, data.groups[lane.group]),
      lane.type && h('span', { class: 'buttons' }, button('S', 'solo', i < 9 ? i + 1 : 's'), button('M', 'mute', 'm')),
      h('span', { class: 'facts' }, laneFacts(this.song, lane)));
    const canvas = (kind, what) => h('canvas', { class: kind, role: 'img', 'aria-label': `${what} of ${this.label(lane)}` });
    const body = h('div', { class: 'body', pointerdown: (event) => this.drag(event, body) },
      canvas('wave', 'Waveform'), canvas('spectrogram', 'Spectrogram'));
    return h('div', { class: 'lane', role: 'group', 'aria-label': this.label(lane), style: `--stem: ${stemColour(lane.stem)}` }, head, body);
  }

  ruler() {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
    const wanted = Math.max(3, Math.floor(this.list.clientWidth / 110));
    const step = steps.find((s) => this.seconds / s <= wanted) || 3600;
    const ticks = [];
    for (let t = 0; t < this.seconds * 0.985; t += step)
      ticks.push(h('span', { style: `left: ${100 * t / this.seconds}%` }, step < 1 ? decimal(t, 1) : clock(t)));
    return h('div', { class: 'ruler', 'aria-hidden': 'true' }, h('div', { class: 'ticks' }, ticks));
  }

  /* The playhead, and shades over what cannot be heard. */
  overlay() {
    this.head = h('div', { class: 'playhead', hidden: this.length === 0 });
    const end = this.from + this.length, part = (t) => `${100 * Math.min(1, t / this.seconds)}%`;
    const shade = (from, to) => h('div', { class: 'shade', style: `left: ${part(from)}; right: calc(100% - ${part(to)})` });
    const shades = this.length === 0 ? [] : [this.from > 0.05 && shade(0, this.from), end < this.seconds - 0.05 && shade(end, this.seconds)];
    return h('div', { class: 'overlay', 'aria-hidden': 'true' }, shades, this.head);
  }

  /* Drawing ------------------------------------------------------------------------------- */

  draw() {
    const map = colourMap(isDark());
    this.list.dataset.view = this.view;
    this.list.querySelector('.ruler')?.replaceWith(this.ruler());
    this.list.querySelectorAll('.lane').forEach((element, i) => {
      const lane = this.song.lanes[i], [wave, spectrogram] = element.querySelectorAll('canvas');
      if (wave.clientHeight > 0)
        drawWave(wave, this.texts[i].wave, lane.wave, this.seconds, this.gain, resolveColour(stemColour(lane.stem)));
      if (spectrogram.clientHeight > 0)
        drawSpectrogram(spectrogram, this.texts[i].spectrogram, lane.spectrogram, this.seconds, map);
    });
  }

  setView(view) {
    this.view = view;
    choose('view', view);
    this.draw();
  }

  refresh() {
    const { player } = this, t = player.now();
    const label = player.loading ? 'Loading' : player.playing ? 'Pause' : 'Play';
    this.playButton.setAttribute('aria-label', label);
    this.playButton.title = `${label} (space)`;
    this.playButton.dataset.state = label.toLowerCase();
    this.moveTo(t);
    if (player.playing && !this.frame) this.animate();
  }

  animate() {
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.player.tick();
      this.moveTo(this.player.now());
      if (this.player.playing) this.animate();
    });
  }

  moveTo(t) {
    const part = Math.min(1, t / this.seconds);
    this.list.style.setProperty('--at', part);
    this.frames.style.setProperty('--at', part);
    this.time.textContent = `${clock(t, true)} / ${clock(this.seconds)}`;
    this.slider.value = String(t);
    this.slider.setAttribute('aria-valuetext', `${clock(t)} of ${clock(this.seconds)}`);
  }

  /* Solo and mute ------------------------------------------------------------------------- */

  audible() {
    const solo = this.states.some((state) => state.solo);
    return this.states.map((state, i) => (solo ? state.solo : this.song.lanes[i].group === this.group) && !state.mute);
  }

  applyGains() {
    const heard = this.audible();
    this.player.setGains(heard.map(Number));
    this.list.querySelectorAll('.lane').forEach((element, i) => {
      element.classList.toggle('silent', this.length > 0 && !heard[i]);
      element.classList.toggle('selected', i === this.selected);
      for (const word of ['solo', 'mute'])
        element.querySelector(`.${word}`)?.setAttribute('aria-pressed', String(this.states[i][word]));
    });
  }

  toggleState(i, word) {
    if (!this.song.lanes[i]?.type) return;
    this.states[i][word] = !this.states[i][word];
    this.applyGains();
  }

  clearStates() {
    for (const state of this.states) state.solo = state.mute = false;
    this.applyGains();
  }

  select(i) {
    this.selected = i;
    this.applyGains();
  }

  /* Keys and pointers --------------------------------------------------------------------- */

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.player.play();
  }

  toggleLoop() {
    this.player.setLoop(!this.player.loop);
    this.loopButton.setAttribute('aria-pressed', String(this.player.loop));
  }

  drag(event, body) {
    if (this.length === 0 || event.button !== 0) return;
    const seek = (e) => {
      const box = body.getBoundingClientRect();
      this.player.seek((e.clientX - box.left) / box.width * this.seconds);
    };
    body.setPointerCapture(event.pointerId);
    body.onpointermove = seek;
    body.onpointerup = body.onpointercancel = () => { body.onpointermove = body.onpointerup = body.onpointercancel = null; };
    seek(event);
  }

  headKey(event, i) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const next = this.list.querySelectorAll('.name')[i + by];
    if (!by || !next) return;
    event.preventDefault();
    next.focus();
    this.select(i + by);
  }

  next(list, value) {
    return list[(list.indexOf(value) + 1) % list.length];
  }

  /** True: the key was for this. */
  key(event) {
    const { player } = this;
    if (/^[1-9]$/.test(event.key)) {
      const i = Number(event.key) - 1;
      if (i < this.states.length) { this.select(i); this.toggleState(i, 'solo'); }
      return true;
    }
    const actions = {
      ' ': () => this.toggle(), 0: () => this.clearStates(),
      ArrowLeft: () => player.seek(player.now() - (event.shiftKey ? 1 : 5)),
      ArrowRight: () => player.seek(player.now() + (event.shiftKey ? 1 : 5)),
      s: () => this.toggleState(this.selected, 'solo'), m: () => this.toggleState(this.selected, 'mute'),
      g: () => this.listenTo(this.next(this.used, this.group)),
      v: () => this.setView(this.next(['wave', 'spectrogram', 'both'], this.view)),
      l: () => this.toggleLoop(), '[': () => this.step(-1), ']': () => this.step(1),
    };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (action) action();
    return Boolean(action);
  }
}
