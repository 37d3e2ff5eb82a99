import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/*.d.ts", ".venv*/", "out/"] },
  js.configs.recommended,
  {
    files: ["app/page/static/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      eqeqeq: "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Text from a file or a model would become markup; use make() and setText()." },
        { property: "outerHTML", message: "Text from a file or a model would become markup; use make() and setText()." },
      ],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
