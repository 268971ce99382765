import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { LoginPage } from "../pages/login.tsx";
import { OverviewPage } from "../pages/overview/overview.tsx";
import { PasswordPage } from "../pages/password.tsx";
import { PATTERNS } from "../paths.ts";
import { CrashPage, NotFoundPage } from "./dead-ends.tsx";
import { Shell } from "./shell.tsx";

/** The whole map. What most people open first comes with the first load; the rest when it is opened. */
const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: CrashPage });
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell, errorComponent: CrashPage });

const routes = root.addChildren([
  createRoute({ getParentRoute: () => root, path: PATTERNS.login, component: LoginPage }),
  createRoute({
    getParentRoute: () => root,
    path: PATTERNS.providerReturn,
    component: lazyRouteComponent(() => import("../pages/provider-return.tsx"), "ProviderReturnPage"),
  }),
  createRoute({ getParentRoute: () => root, path: PATTERNS.password, component: PasswordPage }),
  shell.addChildren([
    createRoute({ getParentRoute: () => shell, path: PATTERNS.overview, component: OverviewPage }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.servers,
      component: lazyRouteComponent(() => import("../pages/servers/servers.tsx"), "ServersPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.server,
      component: lazyRouteComponent(() => import("../pages/server/server.tsx"), "ServerPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.documents,
      component: lazyRouteComponent(() => import("../pages/documents/documents.tsx"), "DocumentsPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.document,
      component: lazyRouteComponent(() => import("../pages/documents/document.tsx"), "DocumentPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.editDocument,
      component: lazyRouteComponent(() => import("../pages/editor/edit-document.tsx"), "EditDocumentPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.changes,
      component: lazyRouteComponent(() => import("../pages/changes/changes.tsx"), "ChangesPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.change,
      component: lazyRouteComponent(() => import("../pages/changes/change.tsx"), "ChangePage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.rollout,
      component: lazyRouteComponent(() => import("../pages/rollout/rollout.tsx"), "RolloutPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.apply,
      component: lazyRouteComponent(() => import("../pages/rollout/apply.tsx"), "ApplyPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.failures,
      component: lazyRouteComponent(() => import("../pages/failures.tsx"), "FailuresPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.audit,
      component: lazyRouteComponent(() => import("../pages/audit.tsx"), "AuditPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.account,
      component: lazyRouteComponent(() => import("../pages/settings/account.tsx"), "AccountPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.tokens,
      component: lazyRouteComponent(() => import("../pages/settings/tokens.tsx"), "TokensPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.users,
      component: lazyRouteComponent(() => import("../pages/settings/users.tsx"), "UsersPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.user,
      component: lazyRouteComponent(() => import("../pages/settings/user.tsx"), "UserPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.roles,
      component: lazyRouteComponent(() => import("../pages/settings/roles.tsx"), "RolesPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.secrets,
      component: lazyRouteComponent(() => import("../pages/settings/secrets.tsx"), "SecretsPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.agents,
      component: lazyRouteComponent(() => import("../pages/settings/agents.tsx"), "AgentsPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.notifications,
      component: lazyRouteComponent(() => import("../pages/settings/notifications.tsx"), "NotificationsPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.retention,
      component: lazyRouteComponent(() => import("../pages/settings/retention.tsx"), "RetentionPage"),
    }),
    createRoute({
      getParentRoute: () => shell,
      path: PATTERNS.doctor,
      component: lazyRouteComponent(() => import("../pages/doctor.tsx"), "DoctorPage"),
    }),
  ]),
]);

export const router = createRouter({
  routeTree: routes,
  // Queries of our own are plain words; the default would read "1e3" as a number.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(search as Record<string, string>).toString();
    return text === "" ? "" : `?${text}`;
  },
  scrollRestoration: true,
});
