// Keeps the texts of the page current, and sends an answer without leaving it. The list comes as
// HTML that the server has escaped.

const EVERY_MS = 1000;

const list = document.querySelector("#texts");
const link = document.querySelector("#link");
const form = document.querySelector("form");
const refusal = document.querySelector("#refusal");

let shown = list.innerHTML;

async function refresh() {
  const answer = await fetch(list.dataset.source).catch(() => null);
  document.body.classList.toggle("offline", !answer?.ok);
  link.textContent = answer?.ok ? "simulated phone" : "the sandbox does not answer";
  if (!answer?.ok) return;

  const html = await answer.text();
  if (html === shown) return;
  shown = html;
  list.innerHTML = html;
  list.scrollTop = list.scrollHeight;
  if (!form.to.value) form.to.value = [...list.querySelectorAll(".to-phone")].pop()?.dataset.other ?? "";
}

async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, EVERY_MS);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  if (answer?.ok) {
    refusal.textContent = "";
    form.body.value = "";
    await refresh();
  } else {
    const problem = await answer?.json().catch(() => null);
    refusal.textContent = problem?.detail ?? "the sandbox does not answer";
  }
});

form.body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

list.scrollTop = list.scrollHeight;
follow();
