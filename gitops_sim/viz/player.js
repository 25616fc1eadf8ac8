// Turns a still picture into a player: seek, step, play. Needs no kernel and no library.
// The history is, per row, a list of [frame, fragment]; only what changed is swapped.
async (root) => {
  const packed = root.querySelector("script[type='application/x-gs-history']").textContent;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const history = JSON.parse(await new Response(unzipped).text());
  const NS = "http://www.w3.org/2000/svg";
  const still = root.querySelector("img");
  const svg = document.createElementNS(NS, "svg");
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${history.width} ${history.height}`, width: history.width,
    height: history.height, role: "img", style: "max-width:100%;height:auto;display:block",
    "font-family": history.font })) svg.setAttribute(name, value);
  svg.innerHTML = `<rect width="${history.width}" height="${history.height}" rx="10" fill="#FFFFFF"/>`;
  const parts = history.parts.map((part) => {
    const place = document.createElementNS(NS, "g");
    place.setAttribute("transform", `translate(0 ${part.y})`);
    svg.appendChild(place);
    return { place, states: part.states, shown: -1 };
  });
  const stateAt = (states, frame) => {
    let low = 0, high = states.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (states[middle][0] <= frame) low = middle; else high = middle - 1;
    }
    return states[low][1];
  };
  const bar = root.querySelector(".gs-bar");
  const slider = bar.querySelector("input");
  const told = bar.querySelector("output");
  const [back, play, on] = bar.querySelectorAll("button");
  let timer = 0;
  const show = (frame) => {
    slider.value = frame;
    for (const part of parts) {
      const state = stateAt(part.states, frame);
      if (state !== part.shown) {
        part.shown = state;
        part.place.innerHTML = history.fragments[state];
      }
    }
    svg.setAttribute("aria-label", history.labels[frame]);
    slider.setAttribute("aria-valuetext", history.times[frame]);
    told.textContent = `${history.times[frame]} (${frame + 1} of ${history.times.length})`;
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  };
  const last = history.times.length - 1;
  const step = (by) => show(Math.min(last, Math.max(0, Number(slider.value) + by)));
  back.onclick = () => { stop(); step(-1); };
  on.onclick = () => { stop(); step(1); };
  slider.oninput = () => { stop(); show(Number(slider.value)); };
  play.onclick = () => {
    if (timer) { stop(); return; }
    if (Number(slider.value) === last) show(0);
    play.textContent = "pause";
    timer = setInterval(() => {
      if (!root.isConnected || Number(slider.value) === last) stop(); else step(1);
    }, 900);
  };
  still.replaceWith(svg);
  bar.style.display = "flex";
  show(last);
}
