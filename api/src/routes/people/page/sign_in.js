// Signs in with the token behind `#`, or accepts the invitation there, once its person asks for it.
const said = document.getElementById("said");
const form = document.getElementById("form");
const token = location.hash.slice(1);
const invited = token.startsWith("mr_invite_");
history.replaceState(null, "", location.pathname);

if (!token) {
  said.textContent = "This page needs a link from your mail.";
  form.hidden = true;
}
document.querySelectorAll(".invited").forEach((field) => (field.hidden = !invited));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.hidden = true;
  const value = (id) => document.getElementById(id).value;
  const given = (id) => (value(id) ? { [id]: value(id) } : {});
  const accepted = { code: token, ...given("name"), ...given("password"), ...given("proof") };
  const post = (path, asked) =>
    fetch(`v1/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
    });
  const answer = invited
    ? await post("accept-invitation", { ...accepted, cookies: true })
    : await post("magic-link/verify", { token, cookies: true });
  const body = await answer.json();
  // A number is shown to be theirs by a code; so may whoever is known do instead of a password.
  const needsProof = invited && !value("proof") &&
    (answer.status === 401 || body.errors?.some((one) => one.field === "proof"));
  if (needsProof && (await post("invitation-code", { code: token })).ok) {
    said.textContent = "A code is on its way to the address that was invited.";
    document.getElementById("proving").hidden = false;
    form.hidden = false;
    return;
  }
  const wrong = () => [body.detail, ...body.errors.map((one) => one.detail)].join(": ");
  said.textContent = answer.ok
    ? `You are signed in as ${body.person.name}, for ${body.tenant}.`
    : wrong();
  form.hidden = answer.ok || (answer.status === 401 && !invited);
  if (answer.ok) location.replace("console/");
});
