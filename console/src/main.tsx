import "@patternfly/react-core/dist/styles/base.css";
import "./app/console.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { queries } from "./api/queries.ts";
import { queryClient } from "./app/query-client.ts";
import { router } from "./app/routes.tsx";
import { startTheme } from "./app/theme.ts";
import { startLanguage } from "./i18n/language.ts";
import { PATTERNS } from "./paths.ts";

// Nothing is shown before it is known who is here: asked while the page's own script is still on its way.
if (window.location.pathname !== PATTERNS.login) void queryClient.prefetchQuery(queries.me());
startTheme();
await startLanguage();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <QueryClientProvider client={queryClient}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
