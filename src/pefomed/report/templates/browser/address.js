// The filters in the address, so that reloading, going back and a link that is passed on show the same view.
const DEFAULTS = { ...state };

// What differs from the first view, as `verdict=wrong&key=organ&value=HEAD`, with names where the state has places.
function addressOf(item) {
  const said = new URLSearchParams();
  for (const name of ["verdict", ...FIELDS]) {
    if (state[name] === DEFAULTS[name]) continue;
    const names = { metric: data.metrics, dataset: data.datasets }[name];
    said.set(name, names ? names[Number(state[name])] : state[name]);
  }
  if (item) said.set("item", item.id);
  return said.toString();
}

// Takes the state from the address; unknown names and values are as if they were not there. Returns the item.
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, DEFAULTS);
  for (const [name, value] of said) {
    if (name === "verdict" && value in data.segments && !at("verdict").hidden) state.verdict = value;
    if (name === "metric" && data.metrics.includes(value)) state.metric = data.metrics.indexOf(value);
    if (name === "dataset" && data.datasets.includes(value)) state.dataset = String(data.datasets.indexOf(value));
    if (name === "key" && value in data.filters) state.key = value;
    if (name === "search") state.search = value;
    if ((name === "low" || name === "high") && value !== "" && Number.isFinite(Number(value))) state[name] = value;
    if (name === "sides" && value in SIDES) state.sides = value;
    if (name === "sort" && [...at("sort").options].some((option) => option.value === value)) state.sort = value;
  }
  const value = said.get("value");
  if (state.key && (data.filters[state.key] || []).includes(value)) state.value = value;
  const id = said.get("item");
  return id === null ? null : data.items.find((item) => item.id === id) || null;
}

// A choice is a step that "back" undoes; what is typed, and walking through the list, only changes the step.
function writeAddress(item, step) {
  const said = addressOf(item);
  if (said === (isView() ? location.hash.slice(1) : "")) return;
  const target = said ? "#" + said : location.pathname + location.search;
  if (step) history.pushState(null, "", target);
  else history.replaceState(null, "", target);
}

// Whether the address holds a view, and is not the name of a section.
function isView() {
  return location.hash.includes("=");
}
