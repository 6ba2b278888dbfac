// <section data-job="address">: fetches what changes every second until the job is over; with data-job-then the page is
// loaded again when it is done.
const box = document.querySelector("[data-job]");

async function look() {
  if (box.querySelector("[data-job-over=yes]")) {
    if ("jobThen" in box.dataset && !box.querySelector(".is-error")) location.reload(); // what was waited for is there
    return;
  }
  try {
    const answer = await fetch(box.dataset.job, { headers: { "X-Requested-With": "fetch" } });
    if (answer.ok && !answer.redirected && !box.contains(document.activeElement)) box.innerHTML = await answer.text();
  } catch {
    // The network is away for a moment: the next look finds it again.
  }
  setTimeout(look, 1000);
}

if (box) setTimeout(look, 1000);
