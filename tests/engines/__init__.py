"""The test ground: real container engines, Compose projects and Swarms, started by the tests and gone after them."""
