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
  const [path, asked] = invited
    ? ["accept-invitation", { code: token, name: value("name"), password: value("password") }]
    : ["magic-link/verify", { token }];
  const answer = await fetch(`v1/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...asked, cookies: true }),
  });
  const body = await answer.json();
  const wrong = () => [body.detail, ...body.errors.map((one) => one.detail)].join(": ");
  said.textContent = answer.ok
    ? `You are signed in as ${body.person.name}, for ${body.tenant}.`
    : wrong();
  form.hidden = answer.ok || answer.status === 401;
  if (answer.ok) location.replace("console/");
});
