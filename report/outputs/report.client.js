// Filters, and clauses that open when they are linked to: conveniences. Without this script the whole report can be read all the same.
const form = document.querySelector('form.filters');
const sections = [...document.querySelectorAll('section[data-area]')];
// Read once: texts do not change.
const clauses = sections.flatMap((section) =>
  [...section.querySelectorAll('details.clause')].map((element) => ({
    element,
    section,
    text: element.textContent.toLowerCase(),
  })),
);

function apply() {
  const data = new FormData(form);
  const [verdicts, levels] = [data.getAll('verdict'), data.getAll('level')];
  const [area, text] = [data.get('area'), data.get('text').trim().toLowerCase()];
  for (const section of sections) section.hidden = true;
  let shown = 0;
  for (const { element, section, text: own } of clauses) {
    const fits =
      verdicts.includes(element.dataset.verdict) &&
      levels.includes(element.dataset.level) &&
      (area === '' || section.dataset.area === area) &&
      (text === '' || own.includes(text));
    element.hidden = !fits;
    if (!fits) continue;
    section.hidden = false;
    shown += 1;
  }
  form.querySelector('output').textContent = `${shown} of ${clauses.length} clauses`;
}

/** A link to a clause shows it, whatever the filter says, and opens it. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches('details.clause')) return;
  if (target.hidden) {
    form.reset();
    apply();
  }
  target.open = true;
  target.scrollIntoView();
}

form.hidden = false;
form.addEventListener('input', apply);
form.addEventListener('reset', () => setTimeout(apply));
form.addEventListener('submit', (event) => event.preventDefault());
for (const link of document.querySelectorAll('a[data-show]')) {
  link.addEventListener('click', () => {
    for (const box of form.elements.verdict) box.checked = box.value === link.dataset.show;
    apply();
  });
}
addEventListener('hashchange', openTarget);
apply();
openTarget();

/** Copies text; where the page may not use the clipboard, selects and copies it the old way. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}

for (const button of document.querySelectorAll('button.copy')) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener('click', async (event) => {
    event.preventDefault();
    const what = button.dataset.copy;
    const text =
      what === 'pre' ? button.closest('div').querySelector('pre').textContent : location.href.split('#')[0] + what;
    await copy(text);
    button.textContent = 'Copied';
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  });
}
