"""The headers every answer must carry."""

from __future__ import annotations

from django.http import HttpResponse

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'",
    "manifest-src 'self'",
}  # fmt: skip
WANTED = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
# A stored file brings a stricter policy of its own.
SANDBOXED = {
    "lesions:imaging_preview",
    "lesions:imaging_thumbnail",
    "lesions:imaging_download",
    "lesions:imaging_waiting",
    "lesions:imaging_raster",
    "lesions:imaging_measures",
}


def lacking(answer: HttpResponse, *, own_policy: bool = False) -> list[str]:
    found = [f"{name}: {answer.get(name)}" for name, value in WANTED.items() if answer.get(name) != value]
    policy = {one.strip() for one in answer.get("Content-Security-Policy", "").split(";") if one.strip()}
    strict = "sandbox" in policy and "default-src 'none'" in policy if own_policy else policy == POLICY
    if "camera=()" not in answer.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    return found if strict else [*found, f"Content-Security-Policy: {sorted(policy ^ POLICY)}"]
