"""The two routes from a person's point of view: custom server and default service."""
