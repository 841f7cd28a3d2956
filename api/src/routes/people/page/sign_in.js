// Signs in with the token behind `#`, once its person asks for it.
const said = document.getElementById("said");
const go = document.getElementById("go");
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

if (!token) {
  said.textContent = "This page needs a link from your mail.";
  go.hidden = true;
}

go.addEventListener("click", async () => {
  go.hidden = true;
  const answer = await fetch("v1/auth/magic-link/verify", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, cookies: true }),
  });
  const body = await answer.json();
  said.textContent = answer.ok
    ? `You are signed in as ${body.person.name}, for ${body.tenant}.`
    : body.detail;
  if (answer.ok) location.replace("console/");
});
