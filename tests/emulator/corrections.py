"""Every place where ministack's internals are replaced, and why: nowhere else is it changed."""

from typing import Any

from . import events, functions


def apply() -> None:
    """Correct ministack before it serves anything."""
    _serve_one_port()
    _run_functions_in_sandboxes()
    _queue_events()


def _serve_one_port() -> None:
    """Stock, it takes port 443 too when it can."""
    from ministack import app

    app._port_is_bindable = lambda host, port: False


def _run_functions_in_sandboxes() -> None:
    """Stock, functions run on ministack's own interpreter and see its packages and the machine's environment."""
    from ministack.services import lambda_svc

    lambda_svc._execute_function_dispatch = functions.run
    delete, reset = lambda_svc._delete_function, lambda_svc.reset

    def delete_and_end(name: str, *arguments: Any, **options: Any) -> Any:
        functions.POOL.end(name)
        return delete(name, *arguments, **options)

    def reset_and_end() -> None:
        functions.POOL.end()
        reset()

    lambda_svc._delete_function = delete_and_end
    lambda_svc.reset = reset_and_end


def _queue_events() -> None:
    """Stock, throttled events are lost, a bucket needs no permission, and destinations get another body."""
    from ministack.services import lambda_svc, s3

    lambda_svc.invoke_async_with_retry = events.invoke_later
    s3._deliver_event_to_lambda = events.from_bucket
    validate = s3._validate_notification_configs

    def validate_with_functions(
        configurations: list[dict[str, Any]],
        bucket_region: str,
        bucket_name: str = "",
        skip_destination_validation: bool = False,
    ) -> Any:
        refused = validate(configurations, bucket_region, bucket_name, skip_destination_validation)
        if refused or skip_destination_validation:
            return refused
        why = events.refuse_notification(configurations, bucket_name, s3.get_account_id())
        return s3._invalid_notification_config(why) if why else None

    s3._validate_notification_configs = validate_with_functions
