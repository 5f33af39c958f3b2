// Filters: a convenience. Without this script the whole report can be read all the same.
const form = document.querySelector('form.filters');
const fields = { verdict: '', level: '', area: '', text: '' };

function apply() {
  for (const name of Object.keys(fields)) fields[name] = form.elements[name].value;
  let shown = 0;
  for (const section of document.querySelectorAll('section[data-area]')) {
    let any = false;
    for (const clause of section.querySelectorAll('details.clause')) {
      const fits =
        (fields.verdict === '' || clause.dataset.verdict === fields.verdict) &&
        (fields.level === '' || clause.dataset.level === fields.level) &&
        (fields.area === '' || section.dataset.area === fields.area) &&
        clause.textContent.toLowerCase().includes(fields.text.toLowerCase());
      clause.hidden = !fits;
      any ||= fits;
      shown += fits ? 1 : 0;
    }
    section.hidden = !any;
  }
  form.querySelector('output').textContent = `${shown} clauses`;
}

function openTarget() {
  const clause = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (clause instanceof HTMLDetailsElement) {
    clause.open = true;
    clause.scrollIntoView();
  }
}

form.hidden = false;
form.addEventListener('input', apply);
form.addEventListener('submit', (event) => event.preventDefault());
window.addEventListener('hashchange', openTarget);
apply();
openTarget();
