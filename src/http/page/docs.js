/** Swagger UI over the server's own document; requests carry the token that the list keeps in this tab. */
/* global SwaggerUIBundle */
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);

/** Reelkeeper may live below a path of its host; this page is at api/docs there. The key is the one of web/request.ts. */
const home = new URL("..", location.href).pathname;
const tokenKey = home === "/" ? "token" : `token ${home}`;

SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const token = sessionStorage.getItem(tokenKey);
    if (token !== null && request.headers.Authorization === undefined)
      request.headers.Authorization = `Bearer ${token}`;
    return request;
  },
});
