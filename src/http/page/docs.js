/** Swagger UI over the server's own document; requests carry the token that the list keeps in this tab. */
/* global SwaggerUIBundle */
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);

SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const token = sessionStorage.getItem("token");
    if (token !== null && request.headers.Authorization === undefined)
      request.headers.Authorization = `Bearer ${token}`;
    return request;
  },
});
