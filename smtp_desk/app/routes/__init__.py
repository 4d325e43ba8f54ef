"""The two routes as a person sees them: custom server and default service."""
