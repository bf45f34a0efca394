"""Every place where ministack's internals are replaced, and why: nowhere else is it changed."""

from typing import Any

from . import athena, events, functions, gateway, limits, tokens
from .unpacked import readable


def apply() -> None:
    """Correct ministack before it serves anything."""
    _serve_one_port()
    _run_functions_in_sandboxes()
    _queue_events()
    _refuse_what_lambda_refuses()
    _be_strict_about_stacks()
    _plan_by_conditions()
    _answer_as_athena()
    _name_logs_as_policies_do()
    _guard_apis()


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


def _refuse_what_lambda_refuses() -> None:
    """Stock, a function is made with a missing zip, six layers, a reserved variable or an hour's timeout."""
    from ministack.core.responses import error_response_json
    from ministack.services import lambda_svc

    def refusal(why: str | None, code: str = "InvalidParameterValueException") -> Any:
        return error_response_json(code, why, 400) if why else None

    create, configure, update = lambda_svc._create_function, lambda_svc._update_config, lambda_svc._update_code
    reserve, send_to = lambda_svc._put_function_concurrency, lambda_svc._put_event_invoke_config

    def role_of(name: str) -> str:
        role: str = lambda_svc._functions[name]["config"]["Role"] if name in lambda_svc._functions else ""
        return role

    def checked_send_to(name: str, qualifier: str | None, data: dict[str, Any]) -> Any:
        return refusal(limits.of_destinations(role_of(name), data)) or send_to(name, qualifier, data)

    def checked_create(data: dict[str, Any]) -> Any:
        why = limits.of_settings(data) or limits.of_code(data.get("Code") or {}, data.get("Layers") or [])
        why = why or limits.of_dead_letters(data.get("Role", ""), data)
        return refusal(why) or create(data)

    def checked_configure(name: str, data: dict[str, Any]) -> Any:
        why = limits.of_settings(data) or limits.of_dead_letters(data.get("Role") or role_of(name), data)
        return refusal(why) or configure(name, data)

    def checked_update(name: str, data: dict[str, Any]) -> Any:
        layers = lambda_svc._functions.get(name, {}).get("config", {}).get("Layers") or []
        return refusal(limits.of_code(data, layers)) or update(name, data)

    def checked_reserve(name: str, data: dict[str, Any]) -> Any:
        return refusal(limits.of_reservation(data.get("ReservedConcurrentExecutions"))) or reserve(name, data)

    lambda_svc._create_function = checked_create
    lambda_svc._update_config = checked_configure
    lambda_svc._update_code = checked_update
    lambda_svc._put_function_concurrency = checked_reserve
    lambda_svc._put_event_invoke_config = checked_send_to


def _be_strict_about_stacks() -> None:
    """Stock, a stack makes functions that Lambda would refuse, deletes full buckets and takes a `Ref` to nothing."""
    from ministack.core.iam_evaluator import validate_role_arn
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import engine, provisioners

    kinds = provisioners._RESOURCE_HANDLERS
    function, layer, bucket = (
        kinds[f"AWS::{kind}"] for kind in ("Lambda::Function", "Lambda::LayerVersion", "S3::Bucket")
    )
    make_function, change_function, make_layer = function["create"], function["update"], layer["create"]
    delete_function, delete_bucket = function["delete"], bucket["delete"]
    validate, zip_text = engine._validate_template_statics, provisioners._zip_inline

    def check(properties: dict[str, Any]) -> int | None:
        given = properties.get("ReservedConcurrentExecutions")
        reserved = None if given is None else int(given)
        layers = properties.get("Layers") or []
        why = limits.of_settings(properties) or limits.of_code(properties.get("Code") or {}, layers)
        why = why or validate_role_arn(properties.get("Role", "")) or limits.of_reservation(reserved)
        if why := why or limits.of_dead_letters(properties["Role"], properties):
            raise ValueError(why)
        return reserved

    def create_function(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        reserved = check(properties)
        name, attributes = make_function(logical_id, properties, stack_name)
        lambda_svc._functions[name]["concurrency"] = reserved
        return name, attributes

    def update_function(name: str, old: dict[str, Any], new: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        reserved = check(new)
        changed, attributes = change_function(name, old, new, *arguments, **options)
        lambda_svc._functions[changed]["concurrency"] = reserved
        return changed, attributes

    def end_function(name: str, properties: dict[str, Any]) -> None:
        functions.POOL.end(name)
        delete_function(name, properties)

    def create_layer(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        if why := limits.of_code(properties.get("Content") or {}, []):
            raise ValueError(why)
        return make_layer(logical_id, properties, stack_name)

    def empty_bucket_only(name: str, properties: dict[str, Any]) -> None:
        if why := limits.of_bucket_deletion(name):
            raise ValueError(why)
        delete_bucket(name, properties)

    def validate_references(template: dict[str, Any]) -> None:
        validate(template)
        if why := limits.unresolved(template):
            raise ValueError(why)

    def zip_inline(*arguments: Any, **options: Any) -> bytes | None:
        data = zip_text(*arguments, **options)
        return readable(data) if data else None

    provisioners._zip_inline = zip_inline  # stock, only its owner could read the code
    function.update(create=create_function, update=update_function, delete=end_function)
    layer["create"] = create_layer
    bucket["delete"] = empty_bucket_only
    engine._validate_template_statics = validate_references


def _plan_by_conditions() -> None:
    """Stock, a change set shows what a condition leaves out of the stack, and not what it takes out."""
    from ministack.services.cloudformation import changesets

    resolve = changesets._resolve_props_for_diff

    def resolve_made(template: dict[str, Any], params: Any, *names: str) -> dict[str, Any]:
        resolved: dict[str, Any] = resolve(template, params, *names)
        holds = changesets._evaluate_conditions(template, params)
        made = {
            logical_id: one
            for logical_id, one in resolved.get("Resources", {}).items()
            if holds.get(one.get("Condition"), True)
        }
        return resolved | {"Resources": made}

    changesets._resolve_props_for_diff = resolve_made


def _answer_as_athena() -> None:
    """Stock, DuckDB's SQL runs over files read without regard to the tables' columns, and views are not known."""
    from ministack.services import athena as service

    stock = service._get_query_results
    service._start_query_execution = athena.start
    service._get_query_results = lambda data: athena.results(data, stock)
    service._type_precision_scale = athena.precision_scale


def _name_logs_as_policies_do() -> None:
    """Stock, a right to `log-group:NAME:*`, as the service wants it, is none to open a stream or write to it."""
    from ministack.core import iam_actions

    stock = iam_actions.extract_resource_arn

    def resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        arn: str = stock(service, method, path, headers, body, *rest)
        if service != "logs" or ":log-group:" not in arn or arn.endswith(":*"):
            return arn
        stream = iam_actions._safe_json_field(body, "logStreamName")
        return f"{arn}:log-stream:{stream}" if stream else f"{arn}:*"

    iam_actions.extract_resource_arn = resource_arn


def _guard_apis() -> None:
    """Stock, no token is signed or fits, anybody may sign up, and an API calls functions that do not let it."""
    from ministack.core.responses import error_response_json
    from ministack.services import apigateway, cognito

    validate, invoke = apigateway._validate_jwt_authorizer, apigateway._invoke_lambda_proxy

    async def keys(url: str) -> dict[str, Any]:
        return gateway.keys_of(url)

    async def checked(route: Any, authorizer: Any, headers: Any, query_params: Any) -> Any:
        token = apigateway._extract_token_from_identity_source(authorizer["identitySource"], headers, query_params)
        if gateway.refuses(token):
            return None, None, apigateway._jwt_unauthorized()
        return await validate(route, authorizer, headers, query_params)

    async def allowed(integration: Any, api_id: str, stage: str, *rest: Any, **options: Any) -> Any:
        route_key = rest[5]
        if not gateway.may_call(integration, api_id, stage, route_key):
            return gateway.internal_error()
        status, headers, body = await invoke(integration, api_id, stage, *rest, **options)
        return gateway.internal_error() if status == 502 else (status, headers, body)

    sign_up = cognito._sign_up

    def checked_sign_up(data: dict[str, Any]) -> Any:
        _, pool, _ = cognito._find_pool_by_client_id(data.get("ClientId", ""))
        if pool and gateway.admits_invited_alone(pool):
            why = "SignUp is not permitted for this user pool"
            return error_response_json("NotAuthorizedException", why, 400)
        return sign_up(data)

    cognito._sign_up = checked_sign_up
    cognito._signed_jwt = tokens.signed
    apigateway._verify_rs256_signature = tokens.verified
    apigateway._fetch_jwks = keys
    apigateway._validate_jwt_authorizer = checked
    apigateway._invoke_lambda_proxy = allowed
