/* A visitor's own model: its bytes go to the server, which opens it in a process that can reach nothing. */
(() => {
  const page = window.crosscheck;

  page.bring = (kit) => {
    page.start();
    const { make, button, say, set } = page;
    const input = make("input", { type: "file", accept: page.config.upload.modelSuffixes, class: "cc-hidden", tabindex: "-1", "aria-label": "Choose a model file" });
    const error = make("p", { class: "cc-error", role: "alert", hidden: true });
    const busy = make("span", { class: "cc-facts", role: "status" });
    const tell = (text) => {
      say(error, text);
      set(error, "hidden", text ? null : "");
    };
    const send = async (file) => {
      if (!file) return;
      tell("");
      const { modelBytes, modelTooLarge } = page.config.upload;
      if (file.size > modelBytes) return tell(modelTooLarge.replace("{size}", (file.size / 1e6).toFixed(0)));
      say(busy, "The model is on its way\u2026");
      try {
        const response = await fetch(`crosscheck/model?name=${encodeURIComponent(file.name.slice(-80))}`, { method: "POST", body: file });
        const answer = await response.json();
        if (answer.error) tell(answer.error);
        else page.wish(kit, "bring", { token: answer.token });
      } catch {
        tell("The model did not reach the page's server; check the connection and bring it again.");
      } finally {
        say(busy, "");
      }
    };
    input.addEventListener("change", () => {
      send(input.files[0]);
      input.value = "";
    });
    const bring = button("Bring a model", "upload", () => input.click(), { "data-part": "bring", title: `${page.config.upload.modelKinds}; only you see it, and it goes when you leave` });
    kit.element.replaceChildren(make("div", { class: "cc-row" }, bring, busy, input), error);
  };
})();
