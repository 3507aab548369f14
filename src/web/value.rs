//! Values that come in from strangers and go out to callers.

use super::callback::ignored;
use js_sys::{Array, Function, Map, Object, Promise};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn get_property(object: &JsValue, name: &JsValue) -> Result<JsValue, JsValue>;

    /// What has values by key: a response's headers, a store.
    #[derive(Clone)]
    pub(super) type Lookup;
    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &Lookup, key: &JsValue) -> Result<JsValue, JsValue>;

    /// The tag of a value, as `[object Name]`, that instances of another realm have too.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call, catch)]
    fn tag_of(value: &JsValue) -> Result<JsValue, JsValue>;

    /// A promise of ours.
    type Settling;
    #[wasm_bindgen(method)]
    fn then(this: &Settling, fulfilled: &JsValue, rejected: &JsValue) -> JsValue;
}

/// A string, or `None` for what is none. The glue writes it into memory of ours, and the allocator overwrites what it outgrows.
pub(super) fn text(value: &JsValue) -> Option<Zeroizing<String>> {
    value.as_string().map(Zeroizing::new)
}

/// Whether a text is what was encoded: UTF-8 has no lone surrogates, JavaScript's strings may.
pub(super) fn is_same_text(text: &str, value: &JsValue) -> bool {
    JsValue::from_str(text) == *value
}

/// Whether a value is an object or a function.
pub(super) fn is_object(value: &JsValue) -> bool {
    value.is_object() || value.is_function()
}

/// Whether a value is an instance of a platform class; by its tag if it is of another realm.
pub(super) fn has_tag(value: &JsValue, tag: &str) -> bool {
    tag_of(value).is_ok_and(|found| found.as_string().as_deref() == Some(tag))
}

/// A property of a stranger's object, whose getter may throw.
pub(super) fn property(object: &JsValue, property: &'static str) -> Result<JsValue, JsValue> {
    name(property, |property| get_property(object, property))
}

thread_local! {
    static NAMES: RefCell<Vec<(&'static str, Rc<JsValue>)>> = const { RefCell::new(Vec::new()) };
}

/// Uses a name of a property as JavaScript's string. It is made once: to decode one takes longer than to read the property.
pub(super) fn name<T>(name: &'static str, using: impl FnOnce(&JsValue) -> T) -> T {
    let find = |names: &Vec<(&'static str, Rc<JsValue>)>| {
        names.iter().find(|known| std::ptr::eq(known.0, name)).map(|known| Rc::clone(&known.1))
    };
    let known = NAMES.with_borrow(find).unwrap_or_else(|| {
        let value = Rc::new(JsValue::from_str(name));
        NAMES.with_borrow_mut(|names| names.push((name, Rc::clone(&value))));
        value
    });
    using(&known)
}

/// The same; undefined, too, where it cannot be read.
pub(super) fn member(object: &JsValue, name: &'static str) -> JsValue {
    property(object, name).unwrap_or_default()
}

/// Whether a stranger's object has a method of this name.
pub(super) fn has_method(object: &JsValue, method: &'static str) -> bool {
    member(object, method).is_function()
}

/// A member of what goes out.
pub(super) enum Member<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
    /// A value of JavaScript's, as it is.
    Value(JsValue),
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Value(value) => serde_wasm_bindgen::preserve::serialize(value, serializer),
        }
    }
}

/// What goes out, by its members.
#[derive(Default)]
pub(super) struct Members<'a>(Vec<(&'static str, Member<'a>)>);

impl<'a> Members<'a> {
    pub(super) fn with(mut self, name: &'static str, member: Member<'a>) -> Self {
        self.0.push((name, member));
        self
    }

    pub(super) fn with_some(self, name: &'static str, member: Option<Member<'a>>) -> Self {
        match member {
            Some(member) => self.with(name, member),
            None => self,
        }
    }

    /// A plain object.
    ///
    /// By way of a `Map`: to set members of an object one after the other would call the setters that a page has put on
    /// `Object.prototype`.
    pub(super) fn object(&self) -> JsValue {
        let map = self.serialize(&serde_wasm_bindgen::Serializer::new()).unwrap_or_default();
        Object::from_entries(map.unchecked_ref::<Map>()).map_or(JsValue::UNDEFINED, JsValue::from)
    }

    /// The same, frozen.
    pub(super) fn frozen(&self) -> JsValue {
        let object = self.object();
        Object::freeze(object.unchecked_ref::<Object>());
        object
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, member) in &self.0 {
            map.serialize_entry(name, member)?;
        }
        map.end()
    }
}

/// An object without a prototype, whose members can be set whatever a page has put on `Object.prototype`.
pub(super) fn bare_object() -> Object {
    Object::create(JsValue::NULL.unchecked_ref())
}

/// A promise and the function that resolves it.
pub(super) fn deferred() -> (Promise, Function) {
    let mut resolver = JsValue::UNDEFINED;
    let promise = Promise::new(&mut |resolve: Function, _| resolver = resolve.into());
    (promise, resolver.unchecked_into())
}

/// Lets a future go on by itself.
pub(super) fn spawn(future: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(future));
}

// Apart, so that the machinery is in the module once.
#[inline(never)]
fn spawn_boxed(future: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(future);
}

/// A promise of what a call of foreign code came to, whatever that is: a promise, a thenable, no promise at all, or an error.
pub(super) fn settling(called: Result<JsValue, JsValue>) -> Promise {
    match called {
        // Not `resolve`: that hands out a stranger's own promise, whose `then` may be anything. The platform's own `then`, called on
        // it, would do; an exchange in Node took 3 % longer with it.
        Ok(value) => Promise::race(&Array::of1(&value)).unchecked_into(),
        Err(thrown) => Promise::reject(&thrown),
    }
}

/// Has one of these called when such a promise is settled.
pub(super) fn then(promise: &Promise, fulfilled: &JsValue, rejected: &JsValue) {
    promise.unchecked_ref::<Settling>().then(fulfilled, rejected);
}

/// Sees to it that the rejection of what may be a promise is no unhandled one.
pub(super) fn contain(value: &JsValue) {
    if is_object(value) {
        then(&settling(Ok(value.clone())), &JsValue::UNDEFINED, &ignored());
    }
}
